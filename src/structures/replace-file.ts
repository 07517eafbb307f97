import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Puts `content` into the place of a file (or where there is none yet), for its owner's eyes only (mode 0600): written
 * beside it, flushed, renamed over it, and the folder flushed. A crash at any moment leaves the old file or the new
 * one, never a part of one. A file beside it, `<path>.new`, may be left over; the next time it is written over.
 *
 * @throws errors of the file system
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
