/**
 * What watching costs: the server's CPU time with and without somebody who reads, wsar's own, and how fast a day's recording is
 * replayed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rounded } from '../../src/metrics/recording/figure-codec.js';
import { RecordingWriter } from '../../src/metrics/recording/recording-writer.js';
import { type Sample, sampleOf } from '../../src/metrics/recording/sample.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { ServerClient } from '../../tools/wsar/server-client.js';
import { freePort } from '../measure/free-port.js';
import { machineLine, thisMachine } from '../measure/machine.js';
import { processUsage } from '../measure/process-usage.js';
import { median } from '../measure/statistics.js';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '30' },
  },
});
const PROCESSES = Number(values.processes);
const MESSAGES = Number(values.messages);
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
/** Before wsar is measured: it has compiled what it runs by then. */
const WARM_MS = 10_000;
const SCHEDULERS = 2;
const DAY_SECONDS = 86_400;

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const WSAR = path('../../tools/wsar/wsar.js');

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  readonly folder: string;
}

async function startServer(flags: Readonly<Record<string, string>>): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-bench-wsar-'));
  const token = randomBytes(16).toString('hex');
  const hash = createHash('sha256').update(token).digest('hex');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'operator-token'), `sha256:${hash}\n`, { mode: 0o600 });
  const operatorPort = await freePort();
  const settings = {
    port: String(await freePort()),
    schedulers: String(SCHEDULERS),
    'operator-port': String(operatorPort),
    'data-folder': folder,
    'log-format': 'json',
    ...flags,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const preload = new URL('./more-processes.js', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--import', preload, path('../../src/cli/rookery.js'), 'start', ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        BENCH_PROCESSES: String(PROCESSES / SCHEDULERS),
        BENCH_MESSAGES: String(MESSAGES / SCHEDULERS),
      },
    },
  );
  let log = '';
  await new Promise<void>((resolve, reject) => {
    // Read to the end: a server whose log goes nowhere is another one.
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      if (log.length < 10_000) log += part;
      if (log.includes('is serving')) resolve();
    });
    child.once('exit', () => reject(new Error(`the server did not start:\n${log}`)));
  });
  const server = { child, pid: child.pid!, url: `http://127.0.0.1:${operatorPort}/`, token, folder };
  const client = new ServerClient(server.url, token);
  for (;;) {
    const { groups } = await client.reading(['sched'], null);
    const processes = (await client.groups())
      .find(({ name }) => name === 'sched')!
      .columns.findIndex(({ name }) => name === 'processes');
    const sum = groups['sched']!.reduce((total, { figures }) => total + (figures[processes] ?? 0), 0);
    if (sum > PROCESSES) break;
    await sleep(200);
  }
  client.close();
  await sleep(2000);
  return server;
}

async function stopServer({ child, folder }: Server): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

/** Share of a core that a process takes for so long. */
async function shareOf(pid: number, seconds: number): Promise<number> {
  const before = processUsage(pid).cpuSeconds;
  const began = performance.now();
  await sleep(seconds * 1000);
  return (processUsage(pid).cpuSeconds - before) / ((performance.now() - began) / 1000);
}

function startWsar(server: Server, seconds: number): ChildProcess {
  const args = [
    WSAR,
    String(seconds),
    '--json',
    '-g',
    'all',
    '--operator',
    server.url,
    '--token',
    server.token,
  ];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

console.log(`${machineLine(thisMachine())}\n`);
console.log(
  `${PROCESSES.toLocaleString('en')} processes on ${SCHEDULERS} schedulers, ${MESSAGES.toLocaleString('en')} messages a second; medians of ${ROUNDS} rounds of ${SECONDS} s\n`,
);

// ---- two servers side by side, of which one records: what disturbs the one disturbs the other as well
const plain = await startServer({ 'wsar-record': 'off' });
const recording = await startServer({});
const folder = join(recording.folder, 'wsar');
const size = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
const both = (seconds: number) => Promise.all([shareOf(plain.pid, seconds), shareOf(recording.pid, seconds)]);
const alone: number[] = [];
const recorded: number[] = [];
const watched: number[] = [];
const own: number[] = [];
let recordedBytes = 0;
let recordedSeconds = 0;
for (let round = 0; round < ROUNDS; round++) {
  const [before, began] = [size(), performance.now()];
  const [quiet, records] = await both(SECONDS);
  recordedBytes += size() - before;
  recordedSeconds += (performance.now() - began) / 1000;
  alone.push(quiet);
  recorded.push(records - quiet);
  const wsar = startWsar(plain, 1);
  await sleep(WARM_MS);
  const [tool, [seen, unseen]] = await Promise.all([shareOf(wsar.pid!, SECONDS), both(SECONDS)]);
  own.push(tool);
  watched.push(seen - unseen + (records - quiet));
  wsar.kill('SIGKILL');
}
const client = new ServerClient(recording.url, recording.token);
const groups = (await client.groups()).filter(({ name }) => name !== 'hw');
const minute: Sample[] = [];
for (let second = 0; second < 60; second++) {
  minute.push(
    sampleOf(
      await client.reading(
        groups.map(({ name }) => name),
        null,
      ),
      groups,
    ),
  );
  await sleep(1000);
}
client.close();
await stopServer(plain);
await stopServer(recording);

const range = (shares: readonly number[]) =>
  `${percent(median(shares))} (${percent(Math.min(...shares))} to ${percent(Math.max(...shares))})`;
console.log(`| all groups once a second    | share of one core, median (least to most) |
| --------------------------- | ----------------- |
| the server, recording       | ${range(recorded)} |
| the server, watched by wsar | ${range(watched)} |
| wsar itself                 | ${range(own)} |

The server alone: ${range(alone)}. ${Math.round(recordedBytes / recordedSeconds)} bytes a second into the recording.
`);

// ---- a day, made of a real minute again and again: counters go on from one to the next
const dayFolder = mkdtempSync(join(tmpdir(), 'rookery-bench-day-'));
const start = new Date(2026, 10, 22).getTime();
const writer = new RecordingWriter({
  folder: dayFolder,
  clock: new SystemClock(),
  origin: { run: 'day', host: 'bench', system: '', cpus: SCHEDULERS, program: 'rookery', intervalMs: 1000 },
  fileBytesMax: 64 * 1024 * 1024,
  keepBytes: Number.MAX_SAFE_INTEGER,
  onProblem: (error) => {
    throw error;
  },
});
const [first, last] = [minute[0]!, minute.at(-1)!];
const writing = performance.now();
for (let second = 0; second < DAY_SECONDS; second++) {
  const lap = Math.floor(second / minute.length);
  const { tables } = minute[second % minute.length]!;
  const shifted = new Map(
    [...tables].map(([name, table]) => {
      const { columns } = table.description;
      const figures = table.figures.map((figure, index) => {
        if (columns[index % columns.length]!.kind !== 'counter') return rounded(figure);
        const grown = last.tables.get(name)!.figures[index]! - first.tables.get(name)!.figures[index]!;
        return rounded(figure + lap * grown);
      });
      return [name, { ...table, figures }];
    }),
  );
  writer.append({ at: start + second * 1000, uptimeMs: second * 1000, tables: shifted }, groups);
  if (second % 600 === 0) await writer.settled();
}
await writer.close();
const bytes = readdirSync(dayFolder).reduce((sum, name) => sum + statSync(join(dayFolder, name)).size, 0);
console.log(
  `A day of ${groups.length} groups at one second: ${(bytes / 1e6).toFixed(1)} MB, written in ${((performance.now() - writing) / 1000).toFixed(1)} s\n`,
);

function timed(what: string, ...args: string[]): string {
  const times: number[] = [];
  let lines = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const { stdout, status, stderr } = spawnSync(process.execPath, [WSAR, '-f', dayFolder, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    if (status !== 0) throw new Error(stderr);
    times.push(performance.now() - began);
    lines = stdout.split('\n').length - 1;
  }
  return `| ${what} | ${Math.round(median(times))} ms | ${lines} |`;
}
const none = spawnMs();
console.log(`| replay | time, of which ${none} ms are Node's start | lines |
| ------ | ---- | ----- |
${timed('the whole day by the minute, all groups', '--json', '-g', 'all', '-i', '60')}
${timed('the whole day by the minute, one group', '--json', '-g', 'msgq', '-i', '60')}
${timed('10:00 to 11:30 by the minute, all groups', '--json', '-g', 'all', '-s', '10:00', '-e', '11:30', '-i', '60')}
${timed('ten seconds at 23:00, all groups', '--json', '-g', 'all', '-s', '23:00', '-e', '23:00:10')}`);
for (const name of readdirSync(dayFolder)) {
  const file = join(dayFolder, name);
  const whole = readFileSync(file);
  // Without its end, as after a crash: it is looked through.
  writeFileSync(file, whole.subarray(0, whole.length - 1));
}
console.log(timed('the same without the index', '--json', '-g', 'all', '-s', '23:00', '-e', '23:00:10'));
rmSync(dayFolder, { recursive: true, force: true });

function spawnMs(): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    spawnSync(process.execPath, [WSAR, '--help']);
    return performance.now() - began;
  });
  return Math.round(median(times));
}
