import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.js';
import { OutputLines } from './output-lines.js';
import { temporaryFolder } from './temporary-folder.js';
import { within } from './within.js';

/** The repository, seen from dist/test/support. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const ROOKERY = resolve(ROOT, 'dist/src/cli/rookery.js');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Settings by name as in src/app/settings.ts. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

export interface TestServerOptions {
  /** Left out: a temporary one that goes away with the test. */
  readonly dataFolder?: string;
  readonly settings?: Settings;
}

/** What every server of a test is started with unless it says otherwise. */
const DEFAULTS: Settings = {
  host: '127.0.0.1',
  port: 0,
  operatorPort: 0,
  logFormat: 'json',
  development: true,
  pinResendMs: 0,
  pinsPerDayMax: 10_000,
  pinsPerAddressHourMax: 1_000_000,
  operationsPerSecond: 1_000_000,
  operationsBurst: 10_000_000,
  receiveBytesPerSecond: '1GiB',
  receiveBytesBurst: '1GiB',
  // A fast machine fills an inbox of 10,000 while one scheduler is dead.
  inboxCountMax: 1_000_000,
  inboxBytesMax: '1GiB',
};

/** `{ inboxCountMax: 5 }` → `--inbox-count-max 5`. */
export function flagsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value === true ? 'on' : value === false ? 'off' : String(value),
  ]);
}

/** Of every test server. */
const TOKEN = 'the-token-of-the-tests';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs `rookery …`. No setting comes in from the environment of the test. */
export function spawnRookery(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ROOKERY_|NODE_|FORCE_COLOR)/.test(name)),
  );
  const child = spawn(process.execPath, ['--enable-source-maps', ROOKERY, ...args], {
    cwd: '/',
    env: { ...inherited, NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export interface Ended extends Exit {
  /** Standard output and standard error. */
  readonly output: string;
}

/** Runs `rookery …` to its end. */
export async function runRookery(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawnRookery(args, env);
  child.stdin?.end();
  const output = new OutputLines();
  output.follow(child.stdout!);
  output.follow(child.stderr!);
  const closed = new Promise<Exit>((done) => child.once('close', (code, signal) => done({ code, signal })));
  try {
    const exit = await within(`the end of rookery ${args.join(' ')}`, closed);
    return { ...exit, output: output.text() };
  } catch (error) {
    throw new Error(`${(error as Error).message}; so far it said:\n${output.tail()}`);
  } finally {
    child.kill('SIGKILL');
  }
}

/** `rookery start` with the settings of a test, to its end: for starts that must be refused. */
export function runStart(settings: Settings, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return runRookery(['start', ...flagsOf({ ...DEFAULTS, ...settings })], env);
}

/** Says everything that it should, on few lines, and without a stack: what is no bug must not look like one. */
export function assertPlainly(output: string, ...patterns: readonly RegExp[]): void {
  for (const pattern of patterns) assert.match(output, pattern);
  assert.doesNotMatch(output, /(^|\\n)\s+at .*:\d+/m);
  assert.ok(output.split('\n').length < 12, `a wall of text:\n${output}`);
}

/**
 * The real server as a child process on random ports. The object stays the same over kills and restarts; `port`
 * is that of the present incarnation, so ask for it at each connection.
 */
export class TestServer {
  /** The operator's, of every test server. */
  static readonly token: string = TOKEN;
  readonly dataFolder: string;
  readonly lines = new OutputLines();
  port = 0;
  /** Of scheduler 1, 2, …; empty if there is only one. */
  homePorts: readonly number[] = [];
  schedulers = 0;
  operatorPort = 0;
  /** The end of the present incarnation. */
  ended: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  readonly #settings: Settings;
  #child: ChildProcess | null = null;
  /** Where the present incarnation's lines begin. */
  startedAtLine = 0;

  private constructor(dataFolder: string, settings: Settings) {
    this.dataFolder = dataFolder;
    this.#settings = settings;
  }

  /** Not started yet. */
  static prepare(t: TestContext, options: TestServerOptions = {}): TestServer {
    // First, so that the folder goes after the server that writes there.
    const folder = options.dataFolder ?? temporaryFolder(t);
    const server = new TestServer(folder, { ...DEFAULTS, ...options.settings });
    if (options.dataFolder === undefined) server.setToken();
    atEnd(t, () => server.kill());
    return server;
  }

  /** Started and listening. */
  static async start(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
    const server = TestServer.prepare(t, options);
    await server.start();
    return server;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** Leads to this scheduler and no other. */
  urlOf(scheduler: number): string {
    return `ws://127.0.0.1:${this.homePorts[scheduler - 1] ?? this.port}/ws`;
  }

  /** The scheduler that has this partition as long as nothing has happened. */
  schedulerOf(partition: number): number {
    return (partition % this.schedulers) + 1;
  }

  /** Starts the process and does not wait for anything. */
  spawn(settings: Settings = {}, env: Readonly<Record<string, string>> = {}): void {
    if (this.#child !== null) throw new Error('the server is running already');
    const flags = flagsOf({ ...this.#settings, dataFolder: this.dataFolder, ...settings });
    const child = spawnRookery(['start', ...flags], env);
    child.stdin?.end();
    this.#child = child;
    this.startedAtLine = this.lines.all.length;
    this.lines.follow(child.stdout!);
    this.lines.follow(child.stderr!);
    this.ended = new Promise((done) => {
      child.once('close', (code, signal) => {
        if (this.#child === child) this.#child = null;
        done({ code, signal });
      });
    });
  }

  /** Starts the process (again) and waits until it listens. */
  async start(settings: Settings = {}): Promise<void> {
    this.spawn(settings);
    await this.listening();
  }

  /** Waits until the process that was spawned listens. */
  async listening(): Promise<void> {
    const from = this.startedAtLine;
    const line = await within(
      'the server to listen',
      this.lines.find(({ fields }) => typeof fields['port'] === 'number' && 'operatorPort' in fields, from),
    );
    this.port = Number(line.fields['port']);
    this.operatorPort = Number(line.fields['operatorPort']);
    this.schedulers = Number(line.fields['schedulers']);
    this.homePorts = (line.fields['homePorts'] as number[] | undefined) ?? [];
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<Exit> {
    this.#child?.kill('SIGKILL');
    return await this.ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** The PIN for a number from the first such line behind `fromLine`. */
  async pin(phone: number, fromLine: number): Promise<string> {
    const line = await within(
      `the PIN for ${phone} in the log`,
      this.lines.find(({ message }) => message.startsWith(`PIN for +${phone} is `), fromLine),
    );
    return line.message.slice(-6).trim();
  }

  /** Resident memory of the server process in bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  }

  /** Gives the data folder a known token for the operator's port, as if its server had made it. */
  setToken(): void {
    mkdirSync(this.dataFolder, { recursive: true });
    const hash = createHash('sha256').update(TOKEN).digest('hex');
    writeFileSync(join(this.dataFolder, 'operator-token'), `sha256:${hash}\n`, { mode: 0o600 });
  }

  /** A request to the operator's port. */
  async operator(path: string, method = 'GET'): Promise<Response> {
    return await fetch(`http://127.0.0.1:${this.operatorPort}${path}`, {
      method,
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
  }

  /** Waits for a line of the log, from `fromLine` on. */
  async log(pattern: RegExp, fromLine: number): Promise<void> {
    await within(`${pattern} in the log`, this.lines.find(pattern, fromLine));
  }

  /** Has a fault happen inside the server (development mode). */
  async injectFault(fault: Fault): Promise<void> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(fault)) query.set(name, String(value));
    const reply = await this.operator(`/api/fault?${query}`, 'POST');
    const text = await reply.text();
    if (!reply.ok) throw new Error(`the fault ${query} was refused: ${reply.status} ${text}`);
  }
}

export type Fault =
  | { readonly kind: 'crash-session'; readonly user: number }
  | { readonly kind: 'crash-partition'; readonly partition: number }
  | { readonly kind: 'crash-thread'; readonly thread: `scheduler-${number}` | 'writer-1' }
  /** What its client sends next is never done with; what it receives next; outside of any process. */
  | { readonly kind: 'loop-session'; readonly user: number }
  | { readonly kind: 'loop-partition'; readonly partition: number }
  /** It handles so many messages a second, until it is cured. */
  | { readonly kind: 'stall-partition'; readonly partition: number; readonly rate: number }
  | { readonly kind: 'cure-partition'; readonly partition: number }
  | { readonly kind: 'loop-thread'; readonly thread: `scheduler-${number}` }
  /** Between the next commit and its events. */
  | { readonly kind: 'crash-commit'; readonly thread: 'writer-1' };
