/** When new code is looked at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JUDGE_RULES, type ModuleReport } from '../../src/hot-code/index.js';
import { type Probation, Probations } from '../../src/hot-code/probations.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

const probation: Probation = {
  number: 1,
  modules: ['tally'],
  isCanary: false,
  promote: false,
  before: new Map(),
};

function setUp() {
  const clock = new SimulatedClock();
  const reports: ((failures: number) => void)[] = [];
  const back: string[] = [];
  const figures = (number: number, failures: number) => ({ number, calls: 100, failures }) as never;
  const probations = new Probations({
    clock,
    rules: JUDGE_RULES,
    report: () =>
      new Promise((resolve) => {
        reports.push((failures) =>
          resolve([
            {
              module: 'tally',
              canaryShare: 0,
              current: figures(1, failures),
              previous: figures(0, 0),
              canary: null,
            } satisfies ModuleReport,
          ]),
        );
      }),
    goBack: async (_probation, evidence) => void back.push(evidence),
    promote: async () => {},
    onFailure: (error) => {
      throw error;
    },
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, probations, reports, back, settled };
}

test('what failed before its probation had begun is looked at when it begins', async () => {
  const { probations, reports, back, settled } = setUp();
  void probations.look();
  assert.equal(reports.length, 0, 'nothing is on probation');
  probations.begin(probation);
  assert.equal(reports.length, 1);
  reports[0]!(50);
  await settled();
  assert.match(back.join(), /^tally: 50 of 100 calls failed/);
  probations.close();
});

test('what fails during a look is looked at behind it, and what does not fail when it is time', async () => {
  const { clock, probations, reports, back, settled } = setUp();
  probations.begin(probation);
  assert.equal(reports.length, 0);
  clock.advance(250);
  assert.equal(reports.length, 1);
  void probations.look();
  void probations.look();
  reports[0]!(2);
  await settled();
  assert.deepEqual(back, [], 'two are too few');
  assert.equal(reports.length, 2, 'once, however many asked');
  reports[1]!(2);
  await settled();
  assert.equal(reports.length, 2);
  clock.advance(250);
  assert.equal(reports.length, 3);
  reports[2]!(3);
  await settled();
  assert.equal(back.length, 1);
  probations.close();
});
