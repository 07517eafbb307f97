/** The import table of docs/architecture.md holds, nothing imports in a circle, and ambient time and chance stay in their wrappers. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typesOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
    .map((name) => `${folder}/${name}`);
}

/** Whether every name that a statement brings in is a type. */
function isTypesOnly(statement: string): boolean {
  if (/^(import|export)\s+type\b/.test(statement)) return true;
  const names = /\{([^}]*)\}\s*from/.exec(statement)?.[1];
  if (names === undefined || !/^(import|export)\s*\{/.test(statement)) return false;
  const list = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return list.length > 0 && list.every((name) => name.startsWith('type '));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'/gms)) {
    const specifier = match[1] ?? '';
    found.push({
      file,
      target: specifier.startsWith('.')
        ? relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '')
        : specifier,
      typesOnly: isTypesOnly(match[0]),
    });
  }
  for (const match of text.matchAll(/\bimport\(\s*'(\.[^']+)'\s*\)/g)) {
    found.push({
      file,
      target: relative(root, resolve(root, dirname(file), match[1] ?? '')).replace(/\.js$/, ''),
      typesOnly: false,
    });
  }
  return found;
}

/** The table as the architecture page has it: `| folder, folder | may import |`. */
function tableOf(page: string): Map<string, { values: Set<string>; types: Set<string> }> {
  const rows = new Map<string, { values: Set<string>; types: Set<string> }>();
  const section = page.split('<!-- import-table -->')[1]?.split('<!-- /import-table -->')[0];
  assert.ok(section, 'docs/architecture.md has an import table between its markers');
  for (const line of section.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 4 || cells[1] === 'folder' || /^-+$/.test(cells[1] ?? '')) continue;
    const list = (text: string) =>
      new Set(
        text
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && name !== '–'),
      );
    for (const folder of list(cells[1] ?? ''))
      rows.set(folder, { values: list(cells[2] ?? ''), types: list(cells[3] ?? '') });
  }
  return rows;
}

/** Contract files: small values (constants, a hash) that belong to an interface. */
const contracts = new Set(['src/storage/stores', 'src/storage/partition-of', 'src/transport/socket']);

const files = [...sourceFiles('src'), ...sourceFiles('tools')];
const isOurs = (target: string): boolean => /^(src|tools)\//.test(target);
const imports = files.flatMap(importsOf);
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const table = tableOf(page);
/** The folder of src, or `tools/…`. */
const folderOf = (path: string): string => {
  const [top, folder] = path.split('/');
  return (top === 'tools' ? 'tools/' : '') + (folder?.replace(/\.tsx?$/, '') ?? '');
};

test('the parser of imports sees what it should', () => {
  assert.ok(imports.length > 50, `only ${imports.length} imports found`);
  assert.equal(isTypesOnly("import { type A, type B } from 'x'"), true);
  assert.equal(isTypesOnly("import { type A, B } from 'x'"), false);
  assert.equal(isTypesOnly("import type { A } from 'x'"), true);
});

test('every folder of src and tools stands in the table', () => {
  for (const file of files) {
    const folder = folderOf(file);
    if (file.split('/').length > 2) assert.ok(table.has(folder), `${folder} is not in the import table`);
  }
});

test('folders import only what the table allows', () => {
  const wrong: string[] = [];
  for (const { file, target, typesOnly } of imports) {
    if (!isOurs(target) || file.split('/').length <= 2) continue;
    const from = folderOf(file);
    const to = folderOf(target);
    if (from === to || to === 'structures') continue;
    const row = table.get(from);
    if (row === undefined || row.values.has('everything') || row.values.has(to)) continue;
    if (row.types.has(to) && (typesOnly || contracts.has(target))) continue;
    wrong.push(`${file} imports ${target}${typesOnly ? ' (types)' : ''}`);
  }
  assert.deepEqual(wrong, []);
});

test('there is no import cycle', () => {
  const edges = new Map<string, string[]>();
  for (const { file, target, typesOnly } of imports) {
    if (typesOnly || !isOurs(target)) continue;
    const source = file.replace(/\.tsx?$/, '');
    edges.set(source, [...(edges.get(source) ?? []), target]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const at = path.indexOf(node);
    if (at >= 0) assert.fail(`cycle: ${[...path.slice(at), node].join(' → ')}`);
    if (done.has(node)) return;
    path.push(node);
    for (const next of edges.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of edges.keys()) visit(node);
});

test('packages with one doorway are imported only there', () => {
  const doorways: Record<string, RegExp> = {
    'uWebSockets.js': /^src\/transport\/uws\//,
    'better-sqlite3': /^src\/storage\/sqlite\//,
    '@opentelemetry': /^src\/metrics\/otel/,
    msgpackr: /^src\/(protocol\/|storage\/|schedulers\/term-codec)/,
    pino: /^src\/app\/log/,
    'node:inspector': /^src\/metrics\/profiles\//,
    nact: /^src\/(nact\/|app\/operator-ledger)/,
  };
  for (const { file, target, typesOnly } of imports) {
    // A module inside of the package is the package.
    const name = Object.keys(doorways).find((name) => target === name || target.startsWith(`${name}/`));
    const doorway = name === undefined ? undefined : doorways[name];
    if (doorway !== undefined && !typesOnly) assert.match(file, doorway, `${file} imports ${target}`);
  }
});

test('time, turns and chance come in through their wrappers', () => {
  const wrappers = new Set([
    'src/structures/system-clock.ts',
    'src/structures/system-random.ts',
    'src/client/browser.ts',
    'src/client/node.ts',
  ]);
  const ambient =
    /\b(Date\.now|performance\.now|Math\.random|crypto\.(random\w*|getRandomValues)|randomBytes|randomInt|randomUUID|setTimeout|setInterval|setImmediate)\s*\(|\bnew Date\(\s*\)/;
  const wrong: string[] = [];
  for (const file of files) {
    if (wrappers.has(file) || /^(src\/(web|cli|ops\/dashboard)|tools)\//.test(file)) continue;
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .forEach((line, index) => {
        const code = line.replace(/\/\/.*$/, '').replace(/^\s*\*.*$/, '');
        if (ambient.test(code)) wrong.push(`${file}:${index + 1}: ${line.trim()}`);
      });
  }
  assert.deepEqual(wrong, []);
});
