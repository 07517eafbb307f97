/** What the compiler has to accept and refuse of processes. Compiled with everything else, and never run. */
import {
  type Blocking,
  call,
  type ExitReason,
  GenServer,
  type Pid,
  type Process,
  type Receiver,
  type Runtime,
  receive,
  type Wait,
} from '../../src/actors/index.js';

declare const runtime: Runtime;
declare const numbers: Pid<number>;
declare const both: Pid<number | string>;
declare const any: Pid;

export function sends(self: Process<never>): void {
  self.send(numbers, 1);
  runtime.send(both, 'text');
  // Who takes more may stand for who takes less; not the other way round.
  const fewer: Pid<number> = both;
  // @ts-expect-error: it takes numbers only
  const more: Pid<number | string> = numbers;
  // @ts-expect-error: a number is wanted
  self.send(numbers, 'text');
  // @ts-expect-error: nothing can be sent to a pid of which nothing is known
  runtime.send(any, 1);
  // Every pid can be linked, monitored and ended.
  self.link(numbers);
  self.monitor(fewer);
  runtime.exit(more, { type: 'shutdown' });
  // @ts-expect-error: there is no such reason
  runtime.exit(any, { type: 'tired' });
  // @ts-expect-error: a custom reason has a value
  runtime.exit(any, { type: 'custom' });
}

export function spawns(): void {
  const typed: Pid<number> = runtime.spawn<number>(() => ({ receive() {} }) as Receiver<number>);
  // @ts-expect-error: a start function returns a receiver, a generator or a promise
  runtime.spawn(() => 7);
  // @ts-expect-error: a generator yields what it waits for
  runtime.spawn(function* () {
    yield 7;
  });
  void typed;
}

class Ping {
  constructor(readonly n: number) {}
}

export function* waits(): Blocking<void> {
  const ping: Ping = yield* receive(Ping);
  const late: Ping | undefined = yield* receive(Ping, 100);
  const text: string = yield* receive((message): message is string => typeof message === 'string');
  // @ts-expect-error: with a time there may be none
  const surely: Ping = yield* receive(Ping, 100);
  // @ts-expect-error: of any message nothing is known
  const unknown: Ping = yield* receive();
  void [ping, late, text, surely, unknown];
}

type Calls = [{ type: 'get' }, number] | [{ type: 'put'; value: number }, 'stored'];
const counter = {
  init: () => GenServer.ok(0),
  handleCall: (request: Calls[0], _from: unknown, state: number) =>
    request.type === 'get'
      ? GenServer.reply(state, state)
      : GenServer.reply('stored' as const, request.value),
} satisfies GenServer<number, Calls>;

export function* calls(): Blocking<void> {
  const { ok: server } = GenServer.start<number, Calls, never, never, never>(runtime, counter);
  const n: number = yield* call(server!, { type: 'get' });
  const stored: 'stored' = yield* call(server!, { type: 'put', value: 1 });
  // @ts-expect-error: the reply is a number
  const wrong: string = yield* call(server!, { type: 'get' });
  // @ts-expect-error: there is no such request
  yield* call(server!, { type: 'drop' });
  // @ts-expect-error: it lacks its value
  yield* call(server!, { type: 'put' });
  void [n, stored, wrong];
}

/** Every exit reason has to be handled. */
export function words(reason: ExitReason): string {
  switch (reason.type) {
    case 'normal':
      return 'it was done';
    case 'error':
      return reason.error.message;
    case 'custom':
      // @ts-expect-error: a custom reason has no error
      return reason.error;
    default:
      return reason.type;
  }
}

export type IsWait = ReturnType<typeof receive> extends Wait<unknown> ? true : never;
