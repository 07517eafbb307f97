import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  DedupeVerdict,
  judgeMessageId,
  markMessageId,
  restartMessageIds,
  restoreWindow,
  windowWords,
} from '../../src/storage/dedupe-window.js';
import { MESSAGE_ID_WINDOW } from '../../src/storage/stores.js';
import { UserState } from '../../src/storage/user-state.js';

/** Plain and slow: every id that was stored. */
class Model {
  readonly stored = new Set<number>();
  first = 1;
  highest = 0;

  judge(id: number): DedupeVerdict {
    if (id > this.highest) return DedupeVerdict.fresh;
    if (id < this.first || id <= this.highest - MESSAGE_ID_WINDOW) return DedupeVerdict.tooOld;
    return this.stored.has(id) ? DedupeVerdict.repeated : DedupeVerdict.fresh;
  }

  mark(id: number): void {
    this.stored.add(id);
    this.highest = Math.max(this.highest, id);
  }
}

/** As the row in the table does it. */
function throughRow(state: UserState): UserState {
  const loaded = new UserState(state.user);
  loaded.firstMessageId = state.firstMessageId;
  loaded.highest = state.highest;
  restoreWindow(loaded, Int32Array.from(windowWords(state)));
  return loaded;
}

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('next' as const), by: fc.constant(1) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('next' as const), by: fc.integer({ min: 2, max: 300 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('back' as const), by: fc.integer({ min: 0, max: 300 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('row' as const), by: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('device' as const), by: fc.constant(0) }) },
);

test('the window judges like a set of all ids, also after it was written to a row and read again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      let state = new UserState(1);
      const model = new Model();
      for (const { kind, by } of steps) {
        if (kind === 'row') {
          state = throughRow(state);
        } else if (kind === 'device') {
          model.first = restartMessageIds(state);
          model.highest = model.first - 1;
          assert.equal(state.highest, model.highest);
        } else {
          const id = Math.max(1, kind === 'next' ? state.highest + by : state.highest - by);
          const verdict = judgeMessageId(state, id);
          assert.equal(verdict, model.judge(id), `id ${id}, highest ${model.highest}, first ${model.first}`);
          if (verdict !== DedupeVerdict.fresh) continue;
          markMessageId(state, id);
          markMessageId(state, id);
          model.mark(id);
        }
        for (let id = Math.max(1, model.highest - MESSAGE_ID_WINDOW - 2); id <= model.highest + 2; id += 7) {
          assert.equal(judgeMessageId(state, id), model.judge(id), `id ${id}, highest ${model.highest}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('ids in order need no bits, the first one left out makes them', () => {
  const state = new UserState(1);
  for (let id = 1; id <= 1000; id++) markMessageId(state, id);
  assert.equal(state.window, null);
  assert.equal(throughRow(state).window, null);
  markMessageId(state, 1002);
  assert.equal(judgeMessageId(state, 1001), DedupeVerdict.fresh);
  assert.equal(judgeMessageId(throughRow(state), 1001), DedupeVerdict.fresh);
  assert.equal(judgeMessageId(state, 1000), DedupeVerdict.repeated);
});
