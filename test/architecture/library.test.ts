/** The library stands on its own: what it exports brings no file of the chat server, and no package. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The folders that an entry's files may come from, and the packages that they may import. */
const entries: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>
> = {
  '.': { folders: ['structures', 'actors', 'supervisors', 'registry', 'applications'], packages: [] },
  './testing': { folders: ['structures', 'actors'], packages: [] },
  // Without SQLite, which only the thread of a journal loads.
  './nact': {
    folders: ['structures', 'actors', 'supervisors', 'nact', 'storage'],
    packages: [
      'nact',
      'nact/lib/persistence/index.js',
      'nact/lib/references.js',
      'nact/lib/supervision.js',
      'nact/lib/system-map.js',
    ],
  },
  './schedulers': { folders: ['structures', 'actors', 'supervisors', 'schedulers'], packages: ['msgpackr'] },
};

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types?: string; readonly default?: string } | string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** All compiled files that importing one loads, and the packages that they name. */
function closureOf(file: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string) => {
    if (files.has(path)) return;
    files.add(path);
    const text = readFileSync(path, 'utf8');
    for (const match of text.matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm,
    )) {
      const specifier = match[1] ?? match[2] ?? '';
      if (specifier.startsWith('.')) visit(resolve(dirname(path), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  };
  visit(file);
  return { files, packages };
}

for (const [entry, { folders, packages }] of Object.entries(entries)) {
  test(`'rookery${entry.slice(1)}' loads nothing of the chat server`, () => {
    const target = manifest.exports[entry];
    assert.ok(typeof target === 'object' && target.default !== undefined && target.types !== undefined);
    assert.ok(existsSync(join(root, target.types)), `${target.types} is not there`);
    const closure = closureOf(join(root, target.default));
    assert.ok(closure.files.size > 3, 'the imports were not found');
    for (const file of closure.files) {
      const [, , folder, rest] = relative(root, file).split('/');
      if (rest !== undefined) assert.ok(folders.includes(folder!), `${relative(root, file)} is loaded`);
    }
    for (const name of closure.packages) assert.ok(packages.includes(name), `the package ${name} is loaded`);
  });
}

test('every entry of the package is a file that the build makes, with its types', () => {
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string' || entry.includes('*')) continue;
    for (const path of [target.types, target.default])
      assert.ok(path !== undefined && existsSync(join(root, path)), `${entry}: ${path} is not there`);
  }
});
