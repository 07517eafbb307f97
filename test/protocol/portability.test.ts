import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

describe('src/protocol', () => {
  const folder = fileURLToPath(new URL('../../src/protocol/', import.meta.url));
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith('.js'));

  it('imports nothing but itself, and msgpackr in one place: it runs in a browser as it is', () => {
    assert.ok(files.length > 30);
    const foreign: string[] = [];
    for (const file of files) {
      const source = readFileSync(`${folder}${file}`, 'utf8');
      for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
        if (!specifier!.startsWith('.')) foreign.push(`${file}: ${specifier}`);
        else if (specifier!.startsWith('../..')) foreign.push(`${file}: ${specifier}`);
      }
      const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      assert.doesNotMatch(code, /\b(?:Buffer|process|require|global)\b/, file);
    }
    assert.deepEqual(foreign, ['structured.js: msgpackr']);
  });
});
