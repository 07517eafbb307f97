/**
 * What does not compile: wrong messages, missing replies, bad returns. Nothing here runs; the build fails where a line below
 * `@ts-expect-error` compiles.
 */
import {
  call,
  ExitReason,
  type From,
  GenServer,
  multiCall,
  type Pid,
  type Process,
  type Runtime,
  type ServerPid,
  type ServerStart,
  sendRequest,
  started,
  type Via,
} from '../../src/actors/index.js';

type Calls = readonly [{ type: 'get' }, number] | readonly [{ type: 'add'; by: number }, 'added'];
type Casts = { readonly type: 'reset' };

export class Counter implements GenServer<number, Calls, Casts, 'tick', 'more'> {
  init() {
    return GenServer.ok(0, { continue: 'more' as const });
  }
  handleCall(request: Calls[0], _from: From<Calls[1]>, count: number) {
    return request.type === 'get'
      ? GenServer.reply(count, count)
      : GenServer.reply('added' as const, count + request.by, 100);
  }
  *handleCast(_message: Casts, count: number) {
    yield* call('other', 'x');
    return GenServer.noreply(count);
  }
  async handleInfo(_message: unknown, count: number) {
    return GenServer.noreply(count, 'hibernate' as const);
  }
  handleContinue(_argument: 'more', count: number) {
    return GenServer.stop(ExitReason.normal, count);
  }
}

export function clients(
  runtime: Runtime,
  self: Process<never>,
  server: ServerPid<Calls, Casts, 'tick'>,
  via: Via<ServerPid<Calls, Casts>>,
) {
  const start: ServerStart<Calls, Casts, 'tick'> = GenServer.start(runtime, new Counter());
  const count: Promise<number> = GenServer.call(runtime, server, { type: 'get' });
  const added: Promise<'added'> = GenServer.call(runtime, via, { type: 'add', by: 1 });
  GenServer.cast(runtime, server, { type: 'reset' });
  runtime.send(server, 'tick');

  // @ts-expect-error: it counts, and gives no text
  const text: Promise<string> = GenServer.call(runtime, server, { type: 'get' });
  // @ts-expect-error: no such request
  GenServer.call(runtime, server, { type: 'subtract' });
  // @ts-expect-error: a part of the request is missing
  GenServer.call(runtime, server, { type: 'add' });
  // @ts-expect-error: a request is no cast
  GenServer.cast(runtime, server, { type: 'get' });
  // @ts-expect-error: a cast is no request
  GenServer.call(runtime, server, { type: 'reset' });
  // @ts-expect-error: no such message
  runtime.send(server, 'tock');
  // @ts-expect-error: the outcome is a number
  GenServer.request(self, server, { type: 'get' }, (outcome) => outcome.ok && outcome.value.length);
  // @ts-expect-error: the callbacks are of another server
  const other: ServerStart<readonly ['x', 'y']> = GenServer.start(runtime, new Counter());
  // @ts-expect-error: whether it has started is not known yet
  const pid: Pid = start.ok;
  return [start, count, added, text, other, pid];
}

export function* processes(self: Process<never>, server: ServerPid<Calls, Casts>) {
  const count: number = yield* call(server, { type: 'get' });
  const started1 = yield* started(GenServer.startLink(self, new Counter()));
  if (started1.error !== undefined) self.exit(started1.error);
  const { ref } = yield* started(GenServer.startMonitor(self, new Counter()));
  const { replies } = yield* multiCall([server], { type: 'get' });
  const first: number = replies[0]!.value;
  const id = sendRequest(self, server, { type: 'add', by: 2 });
  const response = yield* GenServer.receiveResponse(id, 10);
  if (response !== 'timeout' && response.type === 'reply') {
    const added: 'added' = response.value;
    // @ts-expect-error: that is what add is answered with
    const wrong: number = response.value;
    return [added, wrong];
  }
  // @ts-expect-error: no such request
  yield* call(server, { type: 'drop' });
  // @ts-expect-error: get gives a number
  const text: string = yield* call(server, { type: 'get' });
  // @ts-expect-error: no such request
  sendRequest(self, server, 'get');
  // @ts-expect-error: it may not have come
  response.value;
  // @ts-expect-error: a start has no ref unless it was asked for
  started1.ref;
  return [count, first, text, ref];
}

type Strict = GenServer<number, readonly ['get', number], 'inc', never, 'later'>;

// @ts-expect-error: a server needs an init
export const withoutInit: Strict = {};

export const badReturns: Record<string, Strict> = {
  missingReply: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: nothing is returned
    handleCall() {},
  },
  wrongReply: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: the reply is a number
    handleCall: (_request, _from, state) => GenServer.reply('text', state),
  },
  wrongState: {
    // @ts-expect-error: the state is a number
    init: () => GenServer.ok('text'),
  },
  replyToCast: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: nobody waits for a reply
    handleCast: (_message, state) => GenServer.reply(1, state),
  },
  bareState: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: a state alone is no result
    handleCast: (_message, state) => state + 1,
  },
  wrongNext: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: no such thing can follow
    handleCast: (_message, state) => GenServer.noreply(state, 'sleep'),
  },
  wrongContinue: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: it continues with later only
    handleCast: (_message, state) => GenServer.noreply(state, { continue: 'now' }),
  },
  wrongAsync: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: what an async callback promises is a result, too
    handleCall: async () => 1,
  },
  wrongGenerator: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: and what a generator returns
    *handleCall() {
      yield* call('x', 'y');
      return 1;
    },
  },
  wrongFrom: {
    init: () => GenServer.ok(0),
    handleCall(_request, from, state) {
      // @ts-expect-error: who asked waits for a number
      from.reply('text');
      GenServer.replyTo(from, state);
      return GenServer.noreply(state);
    },
  },
  wrongReason: {
    init: () => GenServer.ok(0),
    // @ts-expect-error: a reason is an ExitReason
    handleCast: (_message, state) => GenServer.stop('done', state),
  },
};
