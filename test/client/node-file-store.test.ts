import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  type ClientStore,
  OutboxKind,
  type StoreChange,
  type StoredState,
} from '../../src/client/client-store.js';
import { MemoryClientStore } from '../../src/client/memory-store.js';
import { NodeFileStore } from '../../src/client/node-file-store.js';

const folder = mkdtempSync(join(tmpdir(), 'rookery-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function load(store: ClientStore): StoredState {
  let loaded: StoredState | null = null;
  store.load((error, state) => {
    if (error !== null) throw error;
    loaded = state;
  });
  return loaded!;
}

function save(store: ClientStore, change: Partial<StoreChange>): void {
  store.save({ remove: [], put: [], ...change }, (error) => {
    if (error !== null) throw error;
  });
}

const changes: Partial<StoreChange>[] = [
  { credentials: { user: 491700000001, device: 2, key: new Uint8Array(32).fill(9) }, nextMessageId: 5 },
  { cursor: { epoch: 3, seq: 2 ** 53 - 1 } },
  { put: [record(5, 'five'), record(6, 'six')], nextMessageId: 7 },
  { remove: [5], put: [{ ...record(7, ''), kind: OutboxKind.readReceipt }], nextMessageId: 8 },
  { put: [record(6, 'changed')] },
  { credentials: null, remove: [6, 7] },
];

function record(id: number, text: string): StoreChange['put'][number] {
  return { id, kind: OutboxKind.message, to: 491700000002, body: new TextEncoder().encode(text) };
}

/** What every store must do. */
for (const [name, fresh] of [
  ['memory', () => new MemoryClientStore()],
  ['file', () => new NodeFileStore(join(folder, `${files++}`, 'client.json'))],
] as const) {
  test(`${name}: begins empty and is after each change what the changes amount to`, () => {
    const store = fresh();
    assert.deepEqual(load(store), {
      credentials: null,
      cursor: { epoch: 0, seq: 0 },
      nextMessageId: 1,
      outbox: [],
    });
    let seen: StoredState | null = null;
    for (const change of changes) {
      save(store, change);
      if (store instanceof NodeFileStore) store.close();
      seen = load(store);
    }
    assert.deepEqual(seen, {
      credentials: null,
      cursor: { epoch: 3, seq: 2 ** 53 - 1 },
      nextMessageId: 8,
      outbox: [],
    });
    store.close();
  });
}

describe('the file', () => {
  test('holds keys and bodies bit by bit, and only its owner may read it', () => {
    const path = join(folder, 'exact.json');
    const store = new NodeFileStore(path);
    load(store);
    const key = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
    const body = Uint8Array.from({ length: 256 }, (_, i) => i);
    save(store, {
      credentials: { user: 491700000001, device: 1, key },
      put: [{ id: 1, kind: OutboxKind.message, to: 491700000002, body }],
    });
    store.close();
    const state = load(new NodeFileStore(path));
    assert.deepEqual(state.credentials?.key, key);
    assert.deepEqual(state.outbox[0]?.body, body);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('is for one process at a time, and a dead one leaves no lock', () => {
    const path = join(folder, 'locked.json');
    const first = new NodeFileStore(path);
    load(first);
    assert.throws(() => load(new NodeFileStore(path)), /in use/);
    first.close();
    // A lock of a process that is gone.
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(`${path}.lock`, String(pid));
    const second = new NodeFileStore(path);
    load(second);
    assert.equal(readFileSync(`${path}.lock`, 'utf8'), String(process.pid));
    second.close();
    // A lock of a process that lives: the parent of this one.
    writeFileSync(`${path}.lock`, String(process.ppid));
    assert.throws(() => load(new NodeFileStore(path)), /in use by process/);
  });

  test('that is damaged is named, and not overwritten', () => {
    const path = join(folder, 'damaged.json');
    writeFileSync(path, '{"version":1,');
    assert.throws(() => load(new NodeFileStore(path)), /damaged\.json is damaged/);
    assert.equal(readFileSync(path, 'utf8'), '{"version":1,');
    writeFileSync(path, '{"version":2}');
    assert.throws(() => load(new NodeFileStore(path)), /format 2/);
  });
});
