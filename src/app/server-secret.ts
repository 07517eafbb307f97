import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../structures/random.js';
import { replaceFile } from '../structures/replace-file.js';

const FILE = 'secret';
const BYTES = 32;

/**
 * The server's secret, `<data>/secret` (mode 0600): PINs are kept as HMACs under it, so that the database alone
 * does not give them away. Made at the first start. If it is lost, PINs that are on their way are void and
 * nothing else happens.
 *
 * @throws file system errors; an Error when the file is not what it should be.
 */
export function serverSecret(dataFolder: string, random: Random): Uint8Array {
  const path = join(dataFolder, FILE);
  try {
    const bytes = readFileSync(path);
    if (bytes.length !== BYTES) {
      throw new Error(
        `${path} has ${bytes.length} bytes instead of ${BYTES}; remove it and a new one is made`,
      );
    }
    return new Uint8Array(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const secret = random.bytes(BYTES);
  replaceFile(path, secret);
  return secret;
}
