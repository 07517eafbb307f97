import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWithErlang, erlangIsHere } from '../conformance/random/beside-erlang.js';
import { RANDOM_KINDS } from '../conformance/random/random-scenarios.js';

const COUNT = 25;

for (const kind of RANDOM_KINDS) {
  test(`random scenarios beside a real Erlang: ${kind}`, {
    skip: erlangIsHere() ? false : 'erl and erlc are not installed',
  }, () => {
    const { scenarios, differences } = compareWithErlang(kind, 1, COUNT);
    assert.equal(scenarios, COUNT);
    assert.deepEqual(
      differences.map(({ scenario, difference }) => `${String(scenario['name'])}: ${difference}`),
      [],
    );
  });
}
