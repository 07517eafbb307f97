/** Silences in the operator's ledger. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type LedgerDraft,
  type LedgerEntry,
  LedgerRefused,
  type LedgerSubscriber,
} from '../../src/app/operator-ledger.js';
import { LedgerSilences } from '../../src/app/silence-keeper.js';
import { Silences } from '../../src/metrics/alerts/silences.js';
import { ActionRefused } from '../../src/ops/action.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

const ANN = { author: 'ann', address: '127.0.0.1' };

/** A ledger over an array, which outlives it. */
class Ledger {
  refusal: LedgerRefused | null = null;
  #subscriber: LedgerSubscriber = () => {};
  constructor(readonly entries: LedgerEntry[] = []) {}

  subscribe(kind: string, subscriber: LedgerSubscriber): void {
    assert.equal(kind, 'silence');
    this.#subscriber = subscriber;
    // What is read at the start.
    for (const entry of this.entries) subscriber(entry, true);
  }

  async append(draft: LedgerDraft): Promise<LedgerEntry> {
    if (this.refusal !== null) throw this.refusal;
    const entry = JSON.parse(
      JSON.stringify({ ...draft, number: this.entries.length + 7, at: 0 }),
    ) as LedgerEntry;
    this.entries.push(entry);
    this.#subscriber(entry, false);
    return entry;
  }
}

function kept(clock: SimulatedClock, entries?: LedgerEntry[]) {
  const ledger = new Ledger(entries);
  const silences = new Silences();
  let changes = 0;
  const keeper = new LedgerSilences({ ledger, silences, clock, changed: () => void changes++ });
  return { ledger, silences, keeper, changes: () => changes };
}

function draft(clock: SimulatedClock, label: string, ms: number) {
  const from = clock.wall();
  return { rule: null, label, subject: null, by: 'ann', comment: 'known', from, until: from + ms };
}

test('silences hold as soon as they are written, and over a restart, as long as they are not over', async () => {
  const clock = new SimulatedClock();
  const { ledger, silences, keeper, changes } = kept(clock);
  const long = await keeper.add(draft(clock, 'long', 10_000), ANN);
  const short = await keeper.add(draft(clock, 'short', 1000), ANN);
  const ended = await keeper.add(draft(clock, 'ended', 10_000), ANN);
  await keeper.remove(ended, ANN);
  assert.deepEqual(silences.list(), [long, short]);
  assert.equal(changes(), 4);
  clock.advance(5000);
  const again = kept(clock, ledger.entries);
  assert.deepEqual(again.silences.list(), [long]);
  assert.equal(long.id, 7);
});

test('what cannot be written does not hold', async () => {
  const clock = new SimulatedClock();
  const { ledger, silences, keeper } = kept(clock);
  ledger.refusal = new LedgerRefused('the disk is full', false);
  await assert.rejects(keeper.add(draft(clock, 'x', 1000), ANN), (error) => {
    assert.ok(error instanceof ActionRefused && error.status === 503);
    assert.equal(error.message, 'nothing was changed: the disk is full');
    return true;
  });
  assert.deepEqual(silences.list(), []);
});
