/** What the compiler has to accept and refuse of applications. Compiled with everything else, and never run. */
import type { Blocking, Runtime } from '../../src/actors/index.js';
import { Application, type ApplicationError, type ApplicationSpec } from '../../src/applications/index.js';
import { Supervisor } from '../../src/supervisors/index.js';

const chat = Application.define({
  name: 'chat',
  env: { port: 8470, hosts: ['a'], mode: 'fast' as 'fast' | 'safe' },
  start: (self, { env }) => {
    const port: number = env.port;
    // @ts-expect-error not in its environment
    env.ports;
    return { ok: Supervisor.startLink(self, {}).ok!, state: { port } };
  },
  prepStop: (state: { port: number }) => ({ port: state.port + 1 }),
  stop: ({ port }) => void port.toFixed(),
  configChange: ({ changed, removed }) => {
    const port: number | undefined = changed.port;
    const keys: readonly ('port' | 'hosts' | 'mode')[] = removed;
    void [port, keys];
  },
});

export function environment(runtime: Runtime): void {
  const port: number | undefined = Application.getEnv(runtime, chat, 'port');
  const hosts: readonly string[] | undefined = Application.getEnv(runtime, chat, 'hosts');
  // @ts-expect-error not in its environment
  Application.getEnv(runtime, chat, 'ports');
  Application.setEnv(runtime, chat, 'port', 80);
  // @ts-expect-error a port is a number
  Application.setEnv(runtime, chat, 'port', '80');
  const unknown: unknown = Application.getEnv(runtime, 'chat', 'anything');
  void [port, hosts, unknown];
}

export function* starting(): Blocking<void> {
  const result = yield* Application.start(chat, 'permanent');
  if (result.error === undefined) return;
  const error: ApplicationError = result.error;
  if (error.type === 'circular') void error.path.join();
  // @ts-expect-error only some errors have a reason
  void error.reason;
  // @ts-expect-error no such start type
  yield* Application.start(chat, 'forever');
  const all = yield* Application.ensureAllStarted([chat, 'other']);
  if (all.ok !== undefined) void all.ok.join();
}

// @ts-expect-error a start returns a process
export const bad: ApplicationSpec = { name: 'bad', start: () => 42 };

// @ts-expect-error the state of prepStop is the one of stop
export const states: ApplicationSpec<object, number> = { name: 'states', prepStop: (state) => String(state) };

export const library: ApplicationSpec = { name: 'library', applications: [chat, 'other'] };
