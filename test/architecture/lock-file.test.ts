/**
 * `npm ci` refuses a lock file that leaves out a platform's optional package, and a registry that does not carry
 * that platform makes `npm install` leave it out silently. So: every optional dependency stands in the lock file.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test('the lock file names every optional dependency, for every platform', () => {
  const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const missing: string[] = [];
  for (const [path, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const nested = `${path}/node_modules/${name}`;
      if (lock.packages[`node_modules/${name}`] === undefined && lock.packages[nested] === undefined) {
        missing.push(`${name} (of ${path})`);
      }
    }
  }
  assert.deepEqual(missing, []);
});
