/**
 * Changing code under load: `node dist/bench/hot-code/run.js [--sessions N] [--rate N] [--rounds N]`.
 *
 * Two kinds of rounds in turn over the same sessions: one in which nothing happens, and one in whose middle three modules are loaded as
 * a release (in the next one: rolled back). The difference between their latencies is the delay that a change of code adds. Then a
 * handler that throws at every call is loaded while somebody calls it all the time.
 *
 * The sessions' accounts are made in the database before the server starts: registering them would take longer than all rounds.
 */
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildModule } from '../../src/cli/code/build-module.js';
import { MemoryClientStore } from '../../src/client/memory-store.js';
import { openNodeClient } from '../../src/client/node.js';
import { serverInfo } from '../../src/client/requests.js';
import type { Release } from '../../src/hot-code/index.js';
import type { RoundResult } from '../chat/load-messages.js';
import { LoadProcess } from '../chat/load-process.js';
import { type RookeryServer, startRookery, temporaryDataFolder } from '../chat/rookery-server.js';
import { storeAccounts } from '../chat/stored-accounts.js';
import { machineLine, thisMachine } from '../measure/machine.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '3000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
const sessions = Number(values.sessions);
const rate = Number(values.rate);
const measureMs = Number(values.seconds) * 1000;
const HANDLERS = fileURLToPath(new URL('../../../src/chat/handlers/', import.meta.url));
const FIRST_PHONE = 49_300_000_000;
const MODULES = ['session', 'partition', 'server-info'];
const say = (text: string) => process.stderr.write(`${text}\n`);

const load1Before = loadavg()[0]!;
const dataFolder = await temporaryDataFolder();
storeAccounts(dataFolder, FIRST_PHONE, sessions);
const server = await startRookery({ schedulers: 2, development: true, dataFolder });
const load = await LoadProcess.start({
  dialect: 'rookery',
  bodyBytes: 120,
  sourceAddresses: 1,
  firstPhone: FIRST_PHONE,
  areStored: true,
  settleMsMax: 10_000,
});
try {
  const opening = performance.now();
  await load.open(server.port, sessions, 256);
  say(`${sessions} sessions are open after ${((performance.now() - opening) / 1000).toFixed(1)} s`);
  const modules = await Promise.all(MODULES.map((name) => built(`${name}.ts`)));
  await round();
  // Clients have moved to the ports of their schedulers by now.
  const closedBefore = await closed(server);
  const quiet: RoundResult[] = [];
  const changed: RoundResult[] = [];
  const loads: Release[] = [];
  const rollbacks: Release[] = [];
  for (let at = 0; at < Number(values.rounds); at++) {
    quiet.push(await round());
    changed.push(
      await round(async () => {
        loads.push(
          await server.action<Release>('code-load', { modules, message: 'bench', automatic: false }),
        );
      }),
    );
    changed.push(
      await round(async () => {
        rollbacks.push(await server.action<Release>('code-rollback', {}));
      }),
    );
    await purged(server);
    say(
      `round ${at + 1}: p99.9 ${quiet.at(-1)!.p999Ms.toFixed(2)} ms, with a change ${changed.at(-2)!.p999Ms.toFixed(2)} and ${changed.at(-1)!.p999Ms.toFixed(2)} ms`,
    );
  }
  const closedSince = (await closed(server)) - closedBefore;
  const broken = await breakIt(server);
  const row = (name: string, of: (result: RoundResult) => number) =>
    `| ${name} | ${median(quiet.map(of)).toFixed(2)} | ${median(changed.map(of)).toFixed(2)} |`;
  console.log(`${machineLine(thisMachine())}; ${sessions} sessions, ${rate} messages a second, 2 schedulers, medians of ${quiet.length} and ${changed.length} rounds of ${values.seconds} s; load average ${load1Before.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after

| | nothing changes | three modules change |
| --- | --- | --- |
${row('p50, ms', ({ p50Ms }) => p50Ms)}
${row('p99, ms', ({ p99Ms }) => p99Ms)}
${row('p99.9, ms', ({ p999Ms }) => p999Ms)}
| messages | ${total(quiet)} | ${total(changed)} |

| | median | longest |
| --- | --- | --- |
${times('load: ready in all schedulers, ms', loads, ({ preparedMs }) => preparedMs)}
${times('load: effective in all schedulers, ms', loads, ({ effectiveMs }) => effectiveMs)}
${times('rollback: ready, ms', rollbacks, ({ preparedMs }) => preparedMs)}
${times('rollback: effective, ms', rollbacks, ({ effectiveMs }) => effectiveMs)}

Every message arrived once, in order, was acknowledged and receipted, and no error frame came: otherwise the run ends with what was wrong. Connections closed: ${closedSince}. A handler that throws at every call, asked without a pause by 16: ${broken.failed} requests failed (of ${broken.asked}) in ${broken.ms.toFixed(0)} ms, then it was gone.`);
} finally {
  load.stop();
  await server.stop();
  await rm(dataFolder, { recursive: true, force: true });
}

async function round(change?: () => Promise<void>): Promise<RoundResult> {
  let done: Promise<void> = Promise.resolve();
  const result = await load.run(
    { window: 0, rate, warmupMs: 500, measureMs },
    {
      measuring: () => {
        if (change !== undefined) done = sleep(measureMs / 2).then(change);
      },
      measured: () => {},
    },
  );
  await done;
  return result;
}

async function closed(of: RookeryServer): Promise<number> {
  const { connections } = await of.operator<{ connections: { closed: number } }>('/metrics.json');
  return connections.closed;
}

async function built(file: string): Promise<object> {
  const { module, text, imports, path, suspend } = await buildModule(join(HANDLERS, file));
  return { module, text, imports, file: path, suspend };
}

/** A third version can only live when nobody runs the first any more: everybody has sent something since. */
async function purged(of: RookeryServer): Promise<void> {
  await of.action('code-purge', { kill: false });
}

async function breakIt(of: RookeryServer): Promise<{ failed: number; asked: number; ms: number }> {
  const phone = 49_399_999_999;
  const client = await openNodeClient({
    url: `ws://127.0.0.1:${of.port}/ws`,
    store: new MemoryClientStore(),
    onMessage: () => {},
  });
  await client.register(phone);
  await client.verify(phone, (await of.pins?.(phone)) as string, 'asker');
  // It moves to the port of its scheduler first.
  while (
    !(await serverInfo(client).then(
      () => true,
      () => false,
    ))
  )
    await sleep(10);
  let asked = 0;
  let failed = 0;
  let first = 0;
  let last = 0;
  let isAsking = true;
  const asking = Array.from({ length: 16 }, async () => {
    while (isAsking) {
      asked++;
      await serverInfo(client).catch(() => {
        failed++;
        last = performance.now();
        if (first === 0) first = last;
      });
    }
  });
  await sleep(500);
  const text = "exports.method = 'server.info'; exports.handle = () => { throw new Error('always'); };";
  const gone = of.line(/rookery did a rollback of server-info by itself/);
  await of.action('code-load', {
    modules: [{ module: 'server-info', text, imports: [], file: 'broken.ts' }],
    message: 'broken',
  });
  await gone;
  await sleep(500);
  isAsking = false;
  await Promise.all(asking);
  client.close();
  return { failed, asked, ms: last - first };
}

function total(of: readonly RoundResult[]): number {
  return of.reduce((sum, { delivered }) => sum + delivered, 0);
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN;
}

function times(name: string, of: readonly Release[], figure: (release: Release) => number): string {
  const all = of.map(figure);
  return `| ${name} | ${median(all).toFixed(1)} | ${Math.max(...all).toFixed(1)} |`;
}
