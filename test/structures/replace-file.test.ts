import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../src/structures/replace-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('makes a file, replaces it, and leaves nothing beside it', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a');
  replaceFile(path, 'one');
  assert.equal(readFileSync(path, 'utf8'), 'one');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  replaceFile(path, new Uint8Array([1, 2]));
  assert.deepEqual([...readFileSync(path)], [1, 2]);
  assert.deepEqual(readdirSync(folder), ['a']);
});

test('what an earlier crash left beside it is no obstacle, and not mixed in', (t) => {
  const path = join(temporaryFolder(t), 'a');
  writeFileSync(`${path}.new`, 'half of something much longer');
  replaceFile(path, 'whole');
  assert.equal(readFileSync(path, 'utf8'), 'whole');
});

test('the old file stays when the new one cannot be put in its place', (t) => {
  const path = join(temporaryFolder(t), 'a');
  mkdirSync(join(path, 'occupied'), { recursive: true });
  assert.throws(() => replaceFile(path, 'x'));
  assert.ok(statSync(path).isDirectory());
});
