/**
 * The store alone: messages accepted durably (synchronous=FULL), through real rings to a real writer thread,
 * each wiped behind its append, with the receipt that makes and its wipe.
 *
 *     node dist/bench/store.js [seconds] [bytes of a body]
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { RingStorePort } from '../src/storage/ring-store-port.js';
import { createStoreRings } from '../src/storage/store-rings.js';
import { AppendStatus, EntryKind, type StoreEvents } from '../src/storage/stores.js';
import { SystemClock } from '../src/structures/system-clock.js';

const seconds = Number(process.argv[2] ?? 5);
const bodyBytes = Number(process.argv[3] ?? 120);
const root = process.env['BENCH_DIR'] ?? process.cwd();
const USERS = 1000;
const FIRST_USER = 4915100000000;
const format = (n: number): string => Math.round(n).toLocaleString('en').padStart(9);

/** Sends from each user to the next, at most `windowMax` messages on the way, and wipes what arrives. */
class Load implements StoreEvents {
  readonly #port: RingStorePort;
  readonly #body = Buffer.alloc(bodyBytes, 'x');
  readonly #next = new Float64Array(USERS).fill(1);
  readonly #sentAt: Float64Array;
  readonly #windowMax: number;
  readonly latencies: number[] = [];
  readonly wipes: boolean;
  #user = 0;
  onWay = 0;
  accepted = 0;
  entries = 0;
  registered = 0;
  running = false;

  constructor(port: RingStorePort, windowMax: number, wipes: boolean) {
    this.#port = port;
    this.#windowMax = windowMax;
    this.#sentAt = new Float64Array(windowMax * 2);
    this.wipes = wipes;
  }

  register(n: number): void {
    const user = FIRST_USER + n;
    const pinHash = new Uint8Array(32).fill(1);
    this.#port.control(-1, 0, { op: 'pin-request', user, pinHash, now: 1 });
    const key = { keySalt: new Uint8Array(16), keyHash: new Uint8Array(32).fill(n & 0xff) };
    this.#port.control(n, 0, { op: 'pin-verify', user, pinHash, ...key, now: 1 });
  }

  fill(): void {
    while (this.running && this.onWay < this.#windowMax) {
      const from = this.#user;
      const slot = (this.accepted + this.onWay) % this.#sentAt.length;
      const taken = this.#port.append(
        slot,
        FIRST_USER + ((from * 7 + 1) % USERS),
        FIRST_USER + from,
        1,
        EntryKind.message,
        this.#next[from]!,
        1_700_000_000_000,
        this.#body,
        0,
        bodyBytes,
        0,
      );
      if (!taken) return;
      this.#next[from]!++;
      this.#sentAt[slot] = performance.now();
      this.#user = (from + 1) % USERS;
      this.onWay++;
    }
  }

  appended(requester: number, _ref: number, status: AppendStatus): void {
    if (status !== AppendStatus.stored) throw new Error(`append: ${status}`);
    if ((this.accepted & 15) === 0) this.latencies.push(performance.now() - this.#sentAt[requester]!);
    this.accepted++;
    this.onWay--;
    if (this.onWay < this.#windowMax / 2) this.fill();
  }

  entry(_partition: number, inbox: number, seq: number, time: number): void {
    this.entries++;
    if (this.wipes) this.#port.wipe(0, inbox, 1, seq, time);
  }

  controlled(requester: number, _ref: number, result: { op: string }): void {
    if (result.op === 'pin-verify') this.registered = Math.max(this.registered, requester + 1);
  }

  wiped(): void {}
  page(): void {}
  account(): void {}
  deviceReplaced(): void {}
  truncated(): void {}
  failed(_partition: number, _requester: number, _command: number, _ref: number, failure: number): void {
    throw new Error(`failed: ${failure}`);
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

async function through(windowMax: number, wipes: boolean): Promise<void> {
  const folder = mkdtempSync(join(root, 'bench-store-'));
  const rings = createStoreRings();
  const worker = new Worker(new URL('../test/storage/store-thread.js', import.meta.url), {
    workerData: {
      folder,
      rings: [{ scheduler: 1, rings }],
      limits: { inboxCountMax: 1e9, inboxBytesMax: 1e12 },
    },
    execArgv: process.env['WRITER_EXEC_ARGV']?.split(' ') ?? [],
  });
  const said = (type: string): Promise<Record<string, never>> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      const listener = (message: { type: string }): void => {
        if (message.type !== type) return;
        worker.off('message', listener);
        resolve(message as never);
      };
      worker.on('message', listener);
    });
  await said('open');
  const port = new RingStorePort({ rings, clock: new SystemClock() });
  const load = new Load(port, windowMax, wipes);
  port.listen(load);
  for (let n = 0; n < USERS; n++) load.register(n);
  await until(() => load.registered === USERS);
  load.running = true;
  worker.postMessage('counters');
  await said('counters');
  const elu = performance.eventLoopUtilization();
  const writerElu = worker.performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  const began = performance.now();
  load.fill();
  // When the ring refused, the next events bring the next chance.
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const accepted = load.accepted;
  const elapsed = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const own = performance.eventLoopUtilization(elu).utilization;
  const writer = worker.performance.eventLoopUtilization(writerElu).utilization;
  worker.postMessage('counters');
  const { counters } = (await said('counters')) as never as {
    counters: { commits: number; commands: number; batchMsMax: number };
  };
  load.running = false;
  await port.settled();
  port.close();
  worker.postMessage('close');
  await said('closed');
  await new Promise((resolve) => worker.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
  const sorted = load.latencies.sort((a, b) => a - b);
  const at = (q: number): string => (sorted[Math.floor(sorted.length * q)] ?? 0).toFixed(2);
  const cpuSeconds = (used.user + used.system) / 1e6;
  console.log(
    `${wipes ? 'append, wipe, receipt, wipe' : 'append alone               '}  window ${String(windowMax).padStart(5)}: ` +
      `${format(accepted / elapsed)} accepted/s · ${format(accepted / cpuSeconds)} for each CPU-second ` +
      `(${((1e6 * cpuSeconds) / accepted).toFixed(2)} µs: user ${(used.user / accepted).toFixed(2)}, ` +
      `system ${(used.system / accepted).toFixed(2)}) · answer p50 ${at(0.5)} p99 ${at(0.99)} ms · ` +
      `${format(counters.commits / elapsed)} commits/s of ${Math.round(counters.commands / counters.commits)} commands · ` +
      `busy: writer ${(100 * writer).toFixed(0)} %, load ${(100 * own).toFixed(0)} %`,
  );
}

/** better-sqlite3 alone: one row for each message, by rowid, committed in batches. */
function plainRows(batch: number): void {
  const folder = mkdtempSync(join(root, 'bench-store-'));
  const db = new Database(join(folder, 'plain.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE log (id INTEGER PRIMARY KEY, inbox INTEGER, sender INTEGER, body BLOB)');
  const insert = db.prepare('INSERT INTO log (inbox, sender, body) VALUES (?, ?, ?)');
  const body = Buffer.alloc(bodyBytes, 'x');
  const begin = db.prepare('BEGIN');
  const commit = db.prepare('COMMIT');
  report(`rows by rowid, ${batch} a commit`, batch, () => {
    begin.run();
    for (let n = 0; n < batch; n++) insert.run(FIRST_USER + n, FIRST_USER, body);
    commit.run();
  });
  db.close();
  rmSync(folder, { recursive: true, force: true });
}

/** The disk alone: append and fdatasync. */
function plainFile(batch: number): void {
  const folder = mkdtempSync(join(root, 'bench-store-'));
  const file = openSync(join(folder, 'plain'), 'w');
  const bytes = Buffer.alloc(batch * (bodyBytes + 64), 'x');
  report(`file append and fdatasync, ${batch} a time`, batch, () => {
    writeSync(file, bytes);
    fdatasyncSync(file);
  });
  closeSync(file);
  rmSync(folder, { recursive: true, force: true });
}

function report(name: string, batch: number, once: () => void): void {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  while (performance.now() - began < Math.min(seconds, 2) * 1000) {
    const t = performance.now();
    once();
    times.push(performance.now() - t);
  }
  const elapsed = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const messages = times.length * batch;
  console.log(
    `${name.padEnd(40)}: ${format(messages / elapsed)} messages/s · ` +
      `${((used.user + used.system) / messages).toFixed(2)} µs CPU each · ` +
      `p50 ${times[times.length >> 1]!.toFixed(2)} p99 ${times[Math.floor(times.length * 0.99)]!.toFixed(2)} ms`,
  );
}

console.log(`bodies of ${bodyBytes} bytes, ${USERS} users, ${seconds} s each, in ${root}`);
for (const batch of [1, 100, 1000]) plainFile(batch);
for (const batch of [1, 100, 1000]) plainRows(batch);
for (const windowMax of [100, 1000, 8000]) await through(windowMax, true);
await through(8000, false);
