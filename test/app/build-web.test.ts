import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildWeb } from '../../src/app/build-web.js';
import { webAssets } from '../../src/app/web-assets.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ROOT } from '../support/test-server.js';

test('the page names hashed files that are there, and has nothing inline', async (t) => {
  const target = join(temporaryFolder(t), 'web');
  const sizes = await buildWeb(target);
  const index = readFileSync(join(target, 'index.html'), 'utf8');
  const named = [...index.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, name]) => name!);
  assert.equal(named.length, 3);
  for (const name of named) {
    assert.ok(existsSync(join(target, name)), name);
    assert.match(name, /-[0-9A-Z]{8}\.(js|css|svg)$/);
  }
  // The server's security policy allows neither.
  assert.doesNotMatch(index, /<style|style=|<script(?![^>]*\ssrc=)|\son[a-z]+=/);
  assert.deepEqual([...sizes.keys()].sort(), readdirSync(target).sort());

  const assets = webAssets(`${target}/`);
  assert.equal(assets.get('/')?.contentType, 'text/html; charset=utf-8');
  assert.equal(assets.get('/')?.cacheControl, 'no-cache');
  assert.match(assets.get(`/${named.find((name) => name.endsWith('.js'))}`)?.cacheControl ?? '', /immutable/);
});

test('the same source makes the same names', async (t) => {
  const folder = temporaryFolder(t);
  const first = await buildWeb(join(folder, 'a'));
  const second = await buildWeb(join(folder, 'b'));
  assert.deepEqual([...first.keys()], [...second.keys()]);
});

test('a mistake in the source is told, and the page that was there stays', async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, 'web');
  await buildWeb(target);
  const before = readdirSync(target);
  const source = join(folder, 'source');
  cpSync(join(ROOT, 'src/web'), source, { recursive: true });
  writeFileSync(join(source, 'tsconfig.json'), '{}');
  writeFileSync(join(source, 'main.tsx'), 'export const mistake = <span>;');
  await assert.rejects(buildWeb(target, `${source}/`), /main\.tsx/);
  assert.deepEqual(readdirSync(target), before);
});
