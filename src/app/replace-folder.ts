import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Puts these files, and nothing else, into a folder. What was there stays in place until all of them are written. */
export function replaceFolder(target: string, files: ReadonlyMap<string, Uint8Array>): void {
  const folder = target.replace(/[/\\]$/, '');
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const [name, contents] of files) writeFileSync(join(fresh, name), contents);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}
