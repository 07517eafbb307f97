import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askAction, askOperator } from '../../src/cli/operator-client.js';
import type { Snapshot } from '../../src/ops/inspector.js';
import { freePort } from '../measure/free-port.js';
import { outputLines } from './output-lines.js';
import { PinMailbox } from './pin-mailbox.js';
import { inspectFlag, type Locality, type ServerUnderTest } from './server-under-test.js';

export interface RookeryOptions {
  /** Where the database lies; absent: a folder that is removed with the server. */
  readonly dataFolder?: string;
  /** Scheduler threads; absent: as many as there are cores. */
  readonly schedulers?: number;
  /** Faults can be injected. */
  readonly development?: boolean;
  /** Opens the inspector of its threads on a port of loopback. */
  readonly inspected?: boolean;
}

/** A server whose operator the benchmark is. */
export interface RookeryServer extends ServerUnderTest {
  readonly schedulers: number;
  locality(): Promise<Locality>;
  /** Asks the operator's port. */
  operator<T>(path: string, method?: 'GET' | 'POST'): Promise<T>;
  /** Has the operator's port do something. */
  action<T>(name: string, params: Readonly<Record<string, unknown>>): Promise<T>;
  /** Resolves with the first line of the log from now on whose message matches, as soon as it is written. */
  line(message: RegExp): Promise<void>;
}

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 20_000;

/**
 * What a benchmark changes: everybody comes from one address and sends as fast as it can, so limits on rates and
 * addresses are lifted. Nothing else: storage, durability and sessions are as delivered.
 */
const LIMITS_LIFTED = {
  'operations-per-second': '1000000',
  'operations-burst': '10000000',
  'receive-bytes-per-second': '1073741824',
  'receive-bytes-burst': '1073741824',
  'connections-per-address-max': '10000000',
  'address-connects-per-second': '1000000',
  'address-connects-burst': '10000000',
  'connects-per-second': '1000000',
  'connects-burst': '10000000',
  'pins-per-address-hour-max': '1000000',
  'sms-per-hour-max': '10000000',
  'auth-deadline-ms': '60s',
} as const;

/** A temporary data folder: on the disk that the repository's user would use, never in memory. */
export function temporaryDataFolder(): Promise<string> {
  return mkdtemp(join(process.env['ROOKERY_BENCH_FOLDER'] ?? tmpdir(), 'rookery-bench-'));
}

/** Starts the server as its users do, as a process of its own with a database of its own. */
export async function startRookery(options: RookeryOptions = {}): Promise<RookeryServer> {
  const script = fileURLToPath(new URL('../../src/cli/rookery.js', import.meta.url));
  if (!existsSync(script)) throw new Error(`${script} is missing: build first`);
  const dataFolder = options.dataFolder ?? (await temporaryDataFolder());
  const [port, operatorPort] = [await freePort(), await freePort()];
  const token = randomBytes(16).toString('hex');
  const hash = createHash('sha256').update(token).digest('hex');
  await writeFile(join(dataFolder, 'operator-token'), `sha256:${hash}\n`, { mode: 0o600 });
  const schedulers = options.schedulers ?? availableParallelism();
  const flags = {
    port,
    schedulers,
    development: options.development === true ? 'on' : 'off',
    'operator-port': operatorPort,
    'data-folder': dataFolder,
    'log-format': 'json',
    'heartbeat-ms': '5m',
    'idle-timeout-ms': '15m',
    ...LIMITS_LIFTED,
  };
  const inspectorPort = options.inspected === true ? await freePort() : 0;
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      ...inspectFlag(inspectorPort),
      script,
      'start',
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: withoutOurs(process.env) },
  );
  const mailbox = new PinMailbox();
  const said: string[] = [];
  const expected = new Map<RegExp, () => void>();
  const heard = (line: string) => {
    if (said.push(line) > 50) said.shift();
    readPin(line, mailbox);
    for (const [message, resolve] of expected) {
      if (!message.test(line)) continue;
      expected.delete(message);
      resolve();
    }
  };
  outputLines(child.stderr, heard);
  outputLines(child.stdout, heard);
  const complain = (what: string) => new Error(`${what}. Its last words:\n${said.join('\n')}`);
  await healthy(child, port, complain);
  const operator = <T>(path: string, method: 'GET' | 'POST' = 'GET') =>
    askOperator<T>({ operator: `http://127.0.0.1:${operatorPort}/`, token }, path, method);
  return {
    name: 'Rookery',
    schedulers,
    pid: child.pid as number,
    port,
    inspectorPort,
    pins: (phone) => mailbox.take(phone),
    operator,
    action: <T>(name: string, params: Readonly<Record<string, unknown>>) =>
      askAction<T>({ operator: `http://127.0.0.1:${operatorPort}/`, token }, name, params),
    async locality() {
      const { locality, sessions } = await operator<Snapshot>('/metrics.json');
      return { ...locality, online: sessions.online, atHome: sessions.atHome };
    },
    line: (message) => new Promise((resolve) => expected.set(message, resolve)),
    async kill() {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
    async stop() {
      await stop(child, complain);
      if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** The server refuses a variable ROOKERY_… that is no setting of its own. */
function withoutOurs({ ROOKERY_BENCH_FOLDER: _, ...others }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return others;
}

/** The log's line about a PIN, of the gateway for development. */
function readPin(line: string, mailbox: PinMailbox): void {
  const found = /PIN for \+(\d+) is (\d+)/.exec(line);
  if (found !== null) mailbox.put(Number(found[1]), found[2]!);
}

async function healthy(child: ChildProcess, port: number, complain: (what: string) => Error): Promise<void> {
  const end = performance.now() + START_MS_MAX;
  for (;;) {
    if (child.exitCode !== null) throw complain(`the server ended with ${child.exitCode}`);
    try {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`);
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    if (performance.now() > end) throw complain('the server does not answer');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function stop(child: ChildProcess, complain: (what: string) => Error): Promise<void> {
  if (child.exitCode !== null) throw complain(`the server had ended before, with ${child.exitCode}`);
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  // A second one hurries.
  const hurry = setTimeout(() => child.kill('SIGTERM'), 500);
  const give = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await closed;
  clearTimeout(hurry);
  clearTimeout(give);
}
