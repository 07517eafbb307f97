/**
 * The runtime beside Erlang/OTP and the actor libraries of npm: each workload is a program of its own for each contender,
 * and the contenders take turns, so that what else happens on the machine hits them all.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Measured } from './measure.js';

const HELP = `npm run bench:runtime -- [options]

  --only A,B     workloads: ${'`'}ping_pong,calls${'`'}; all by default
  --against A,B  contenders beside ours: beam, nact, xstate, comedy; those that are there by default
  --rounds N     programs of each contender for each workload (3), the best counts
  --scale X      share of the full sizes (1)
  --sizes        instead: what one operation costs while there are many of its kind
  --install      installs xstate and comedy first (npm, into bench/runtime/peers)
`;

interface Row {
  readonly workload: string;
  readonly title: string;
  readonly unit: string;
  /** What we aim at, as a ratio to the BEAM; of bytes: at most so many. */
  readonly aim?: number;
}

const ROWS: readonly Row[] = [
  { workload: 'ping_pong', title: 'ping-pong', unit: 'messages', aim: 8 },
  { workload: 'ping_pong_generators', title: 'ping-pong, generators that receive', unit: 'messages' },
  { workload: 'ring', title: 'ring of 1000', unit: 'hops', aim: 6 },
  { workload: 'fan_in', title: 'fan-in of 100', unit: 'messages', aim: 4 },
  { workload: 'fan_out', title: 'fan-out to 100', unit: 'messages' },
  { workload: 'calls', title: 'gen_server calls', unit: 'calls', aim: 5 },
  { workload: 'calls_generators', title: 'gen_server calls of a generator', unit: 'calls' },
  { workload: 'calls_long_mailbox', title: 'the same with 10,000 messages waiting', unit: 'calls' },
  { workload: 'spawn_exit', title: 'spawn, one message, exit', unit: 'processes', aim: 3 },
  { workload: 'spawn_exit_generators', title: 'the same, generators', unit: 'processes', aim: 3 },
  { workload: 'backlog', title: 'backlog of 10 M, built and drained', unit: 'messages' },
  { workload: 'selective', title: 'selective receive over 10,000 messages', unit: 'looks' },
  { workload: 'timers_cancel', title: '1 M timers set and cancelled', unit: 'timers' },
  { workload: 'timers_fire', title: '1 M timers firing', unit: 'timers' },
  { workload: 'links_die', title: '100 K processes linked to one that dies', unit: 'processes' },
  { workload: 'monitors_die', title: '100 K processes monitoring one that dies', unit: 'processes' },
  { workload: 'restarts', title: 'crash and restart by a supervisor', unit: 'restarts' },
  { workload: 'supervised_starts', title: 'starts under a DynamicSupervisor', unit: 'starts' },
  { workload: 'lookups', title: 'look-ups among 100 K names', unit: 'look-ups' },
  { workload: 'idle_bytes', title: 'idle process', unit: 'bytes', aim: 250 },
  { workload: 'idle_bytes_own_state', title: 'idle process with two closures of its own', unit: 'bytes' },
  { workload: 'idle_bytes_generator', title: 'idle process, generator', unit: 'bytes' },
  {
    workload: 'idle_bytes_supervised',
    title: 'idle temporary child, with its places in the supervisor',
    unit: 'bytes',
  },
];

/** What another contender's workload is called for those of ours that are the same work done in another manner. */
const SAME_WORK: Readonly<Record<string, string>> = {
  ping_pong_generators: 'ping_pong',
  calls_generators: 'calls',
  spawn_exit_generators: 'spawn_exit',
  idle_bytes_own_state: 'idle_bytes',
  idle_bytes_generator: 'idle_bytes',
};

interface Contender {
  readonly name: string;
  run(workload: string, scale: number): Measured;
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    only: { type: 'string', default: '' },
    against: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    install: { type: 'boolean', default: false },
    sizes: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const peers = join(repository, 'bench/runtime/peers');
const beamFolder = mkdtempSync(join(tmpdir(), 'rookery-beam-'));
process.on('exit', () => rmSync(beamFolder, { recursive: true, force: true }));

if (values.sizes) {
  const script = join(repository, 'dist/bench/runtime/sizes.js');
  const { status } = spawnSync(process.execPath, ['--expose-gc', script], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

function output(command: string, args: readonly string[]): Measured {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr || stdout}`);
  // A library may have said something before.
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Measured;
}

function nodeContender(name: string, script: string): Contender {
  return {
    name,
    run: (workload, scale) => output(process.execPath, ['--expose-gc', script, workload, String(scale)]),
  };
}

function beam(): Contender | null {
  const sources = ['beam.erl', 'beam_sup.erl'].map((file) => join(repository, 'bench/runtime', file));
  const { status } = spawnSync('erlc', ['-o', beamFolder, ...sources]);
  if (status !== 0) return null;
  // No busy waiting, so that its processor time is work; names and processes as many as the workloads need.
  const flags = ['+P', '2000000', '+t', '2000000', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];
  return {
    name: 'beam',
    run: (workload, scale) => {
      const args = ['-noinput', '-pa', beamFolder, '-run', 'beam', 'main', workload, scale.toFixed(4)];
      return output('erl', [...flags, ...args]);
    },
  };
}

function contenders(): Contender[] {
  const found: Contender[] = [];
  const erlang = beam();
  if (erlang !== null) found.push(erlang);
  found.push(nodeContender('nact', join(repository, 'dist/bench/runtime/nact.js')));
  for (const name of ['xstate', 'comedy']) {
    if (existsSync(join(peers, 'node_modules', name)))
      found.push(nodeContender(name, join(peers, `${name}.mjs`)));
  }
  const wanted = values.against?.split(',');
  for (const name of wanted ?? []) {
    if (!found.some((one) => one.name === name))
      throw new Error(`${name} is not here: beam needs erlang-nox, others --install`);
  }
  return wanted === undefined ? found : found.filter((one) => wanted.includes(one.name));
}

function better(one: Measured, other: Measured): Measured {
  if (one.bytes !== undefined || other.bytes !== undefined) {
    return { bytes: Math.min(one.bytes ?? Infinity, other.bytes ?? Infinity) };
  }
  if (one.wall === undefined || other.wall === undefined) return one.wall === undefined ? other : one;
  return { wall: Math.max(one.wall, other.wall), cpu: Math.max(one.cpu ?? 0, other.cpu ?? 0) };
}

function show(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value >= 1e6) return `${(value / 1e6).toFixed(value >= 1e7 ? 1 : 2)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(0)} K` : value.toFixed(0);
}

if (values.install) {
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], {
    cwd: peers,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
const ours = nodeContender('rookery', join(repository, 'dist/bench/runtime/rookery.js'));
const others = contenders();
const scale = Number(values.scale);
const only = values.only.split(',').filter((word) => word !== '');
const rows = ROWS.filter(({ workload }) => only.length === 0 || only.includes(workload));
if (!(scale > 0)) throw new Error(`bad scale: ${values.scale}`);
if (rows.length === 0) throw new Error(`no such workload: ${values.only}`);

console.log(
  'Events a second, and in brackets for each second of processor time of all threads; best of several rounds.\n',
);
console.log(
  `| work | rookery | ${others.map(({ name }) => name).join(' | ')} | × beam | × beam (CPU) | aim |`,
);
console.log(`| --- | --- | ${others.map(() => '---').join(' | ')} | --- | --- | --- |`);
for (const { workload, title, unit, aim } of rows) {
  const results = new Map<string, Measured>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const contender of [ours, ...others]) {
      const name = contender === ours ? workload : (SAME_WORK[workload] ?? workload);
      if (process.stderr.isTTY)
        process.stderr.write(`${title}: ${contender.name}, round ${round + 1}\u001b[K\r`);
      results.set(contender.name, better(results.get(contender.name) ?? {}, contender.run(name, scale)));
    }
  }
  const cell = (measured: Measured | undefined) => {
    if (measured?.bytes !== undefined) return `${measured.bytes.toFixed(0)}`;
    return measured?.wall === undefined ? '–' : `${show(measured.wall)} (${show(measured.cpu)})`;
  };
  const own = results.get('rookery');
  const its = results.get('beam');
  const ratio = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? '–' : `${(a / b).toFixed(a / b < 10 ? 1 : 0)}`;
  const sizes = own?.bytes !== undefined;
  const cells = [
    `${title} (${unit})`,
    cell(own),
    ...others.map(({ name }) => cell(results.get(name))),
    sizes ? ratio(own.bytes, its?.bytes) : ratio(own?.wall, its?.wall),
    sizes ? '–' : ratio(own?.cpu, its?.cpu),
    aim === undefined ? '' : sizes ? `≤ ${aim}` : `${aim}`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
