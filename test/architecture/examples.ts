import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A program in a docstring: a block that begins with three backticks and `ts`. */
export interface Example {
  /** Where it stands: the path of the file below the root, and the line. */
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** What it prints: the texts behind `// → `, in their order. */
  readonly output: readonly string[];
}

/** The examples in the docstrings of some TypeScript files, and of all those below some folders. */
export function examplesIn(root: string, folders: readonly string[]): Example[] {
  const files = folders.flatMap((folder) =>
    folder.endsWith('.ts')
      ? [folder]
      : readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.ts'))
          .sort()
          .map((name) => join(folder, name)),
  );
  return files.flatMap((file) => examplesOf(file, readFileSync(join(root, file), 'utf8')));
}

/** The examples in one file. */
export function examplesOf(file: string, text: string): Example[] {
  const examples: Example[] = [];
  let begun: { readonly line: number; readonly code: string[] } | null = null;
  text.split('\n').forEach((whole, at) => {
    const inComment = /^\s*\* ?(.*)$/.exec(whole)?.[1];
    if (inComment === undefined) {
      begun = null;
    } else if (begun === null) {
      if (inComment === '```ts') begun = { line: at + 1, code: [] };
    } else if (inComment === '```') {
      const { line, code } = begun;
      examples.push({ file, line, code: `${code.join('\n')}\n`, output: code.flatMap(outputOf) });
      begun = null;
    } else {
      begun.code.push(inComment);
    }
  });
  return examples;
}

function outputOf(line: string): string[] {
  const output = /\/\/ → (.*)$/.exec(line)?.[1];
  return output === undefined ? [] : [output];
}
