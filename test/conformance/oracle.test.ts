import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { applies, difference } from './compare.js';
import type { JsonObject } from './oracle/json.js';
import { traceOf } from './oracle/scenario.js';

// What a real Erlang/OTP did in each scenario stands in golden/, recorded with the tool that README.md describes.
const here = new URL('../../../test/conformance/', import.meta.url);

for (const file of readdirSync(new URL('golden/', here)).sort()) {
  const read = (folder: string) =>
    JSON.parse(readFileSync(new URL(`${folder}/${file}`, here), 'utf8')) as readonly JsonObject[];
  const scenarios = new Map(read('scenarios').map((scenario) => [scenario['name'], scenario]));
  describe(`conformance: ${file}`, () => {
    for (const golden of read('golden').filter(applies)) {
      const name = golden['name'] as string;
      test(name, () => {
        const scenario = scenarios.get(name);
        assert.ok(scenario !== undefined, `no scenario ${name}`);
        const trace = JSON.parse(traceOf(scenario)) as JsonObject;
        assert.equal(difference(golden, trace), null);
      });
    }
  });
}
