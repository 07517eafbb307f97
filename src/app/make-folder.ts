import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, readable by nobody else; one that exists is left as it is. Step by step,
 * because `mkdirSync` with `recursive` goes round for ever where the kernel refuses with ENOENT (under /proc).
 *
 * @throws the error of mkdir, with the path that it failed at.
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(path);
  if (above !== path && statSync(above, { throwIfNoEntry: false }) === undefined) makeFolder(above);
  mkdirSync(path, { mode: 0o700 });
}
