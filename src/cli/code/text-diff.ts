import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorRefused } from '../operator-client.js';

/**
 * What `diff -u` says of two texts; '' if they are the same.
 *
 * @throws OperatorRefused where there is no such program
 */
export function textDiff(before: string, after: string, beforeName: string, afterName: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-diff-'));
  try {
    const [old, fresh] = [join(folder, 'before'), join(folder, 'after')];
    writeFileSync(old, before);
    writeFileSync(fresh, after);
    const args = ['-u', '--label', beforeName, '--label', afterName, old, fresh];
    const { stdout, error, status } = spawnSync('diff', args, { encoding: 'utf8' });
    if (error !== undefined || status === null || status > 1)
      throw new OperatorRefused(
        `the program diff is wanted, and cannot be run: ${error?.message ?? `exit code ${status}`}`,
      );
    return stdout.trimEnd();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
