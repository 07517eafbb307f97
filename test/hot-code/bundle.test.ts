/** Files become texts that stand alone. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BundleFailed, bundle, compile } from '../../src/hot-code/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function files(t: TestContext, all: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const importModule = async (specifier: string): Promise<object> =>
  specifier.startsWith('app:') ? { shared: specifier } : ((await import(specifier)) as object);

test('what lies beside a file is built in, what the program shares and packages are required', async (t) => {
  const folder = files(t, {
    'src/leaf/greet.ts': `import { basename } from 'node:path';
      import { shared } from '../core/table.js';
      import type { Whatever } from '../core/types.js';
      import { loud } from '../../own/loud.js';
      export const greet = (name: string, _?: Whatever): string => loud(basename(name)) + shared;`,
    'src/core/table.ts': 'export const shared = 1;',
    'src/core/types.ts': 'export type Whatever = string;',
    'own/loud.ts': 'export const loud = (text: string): string => text.toUpperCase();',
  });
  const shared = { folder: join(folder, 'src'), scheme: 'app' };
  const file = join(folder, 'src/leaf/greet.ts');
  const built = await bundle(file, { shared });
  assert.deepEqual(built.imports, ['app:core/table.js', 'node:path']);
  const again = await bundle(file, { shared });
  assert.equal(again.hash, built.hash);
  const code = { module: 'greet', number: 1, file, loadedAt: 0, ...built };
  const { greet } = (await compile(code, importModule)) as { greet: (name: string) => string };
  assert.equal(greet('/a/bob'), 'BOBapp:core/table.js');
});

test('what is wrong is named with its place', async (t) => {
  const folder = files(t, {
    'a.ts': 'export const a = ;',
    'b.ts': "import './nowhere.js';",
    'c.ts': "await import('node:fs');",
  });
  await assert.rejects(bundle(join(folder, 'a.ts')), (error: Error) => {
    assert.ok(error instanceof BundleFailed);
    assert.match(error.message, /a\.ts:1:18: Unexpected ";"/);
    return true;
  });
  await assert.rejects(bundle(join(folder, 'b.ts')), /b\.ts:1:8: Could not resolve "\.\/nowhere\.js"/);
  await assert.rejects(bundle(join(folder, 'c.ts')), /cannot be changed later/);
  await assert.rejects(bundle(join(folder, 'missing.ts')), /missing\.ts/);
});
