/**
 * The bank of bank.js, unchanged, supervised beside processes of our own, with a journal that survives kill -9.
 *
 *     node examples/nact/main.js ./bank.db
 *     deposit alice 100
 *     {"balance":100}
 */
import { createInterface } from 'node:readline';
import { configurePersistence, start } from 'nact';
import { call, ExitReason, GenServer, Runtime, Supervisor, SystemClock, SystemRandom } from 'rookery';
import { JournalPersistenceEngine, JournalPort, nactSystem, persistenceThread, pidOf } from 'rookery/nact';
import { spawnBank } from './bank.js';

const [path = './bank.db'] = process.argv.slice(2);
const runtime = new Runtime({
  clock: new SystemClock(),
  random: new SystemRandom(),
  events: (event) => {
    if (event.type === 'crash')
      console.error(`${[...event.path, event.label].join('/')}:`, event.reason.error);
  },
});

// The engine outlives the thread that works for it: that one is a child like any other.
const port = new JournalPort();
const engine = new JournalPersistenceEngine(port);

// A process of our own, which stands still while it waits for the bank.
const teller = {
  init: () => GenServer.ok(0),
  *handleCall([type, account, amount], _from, served) {
    const answer = yield* call('bank', { type, account, amount: Number(amount) }, 2000);
    return GenServer.reply(answer, served + 1);
  },
};

const started = Supervisor.start(runtime, {
  strategy: 'rest_for_one',
  intensity: 5,
  periodMs: 10_000,
  children: [
    persistenceThread('journal', port, { path }),
    nactSystem('bank-system', () => {
      const system = start(configurePersistence(engine));
      runtime.register('bank', pidOf(spawnBank(system)));
      return system;
    }),
    { id: 'teller', start: (supervisor) => GenServer.startLink(supervisor, teller, { name: 'teller' }) },
  ],
});
const { ok: top, error } = await runtime.wait(started.pending);
if (top === undefined) {
  console.error(error.detail.reason.error.message);
  process.exit(1);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(await runtime.call('teller', line.trim().split(/\s+/))));
  } catch (failed) {
    console.log(JSON.stringify({ failed: failed.message }));
  }
}
await runtime.stop(top, ExitReason.shutdown);
port.close();
