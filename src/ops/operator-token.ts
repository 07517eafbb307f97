import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../structures/random.js';
import { replaceFile } from '../structures/replace-file.js';

const FILE = 'operator-token';
const TOKEN_BYTES = 32;

/** The file is there but holds no hash: rather no operator than a wrong one. */
export class OperatorTokenError extends Error {
  override readonly name = 'OperatorTokenError';
}

/**
 * The operator's password: 32 random bytes in base64url. Whoever has it may do what the operator may. It is
 * shown once, when it is made; only its SHA-256 is kept, in `<data>/operator-token` (mode 0600) and in
 * memory. SHA-256 without salt or stretching is enough for 256 random bits.
 */
export class OperatorToken {
  readonly #hash: Buffer;
  /** The token itself if it was made just now, to be shown to the operator, else null. */
  readonly fresh: string | null;

  private constructor(hash: Buffer, fresh: string | null) {
    this.#hash = hash;
    this.fresh = fresh;
  }

  /**
   * Reads the hash in `dataFolder`, or makes a token when there is none.
   *
   * @throws OperatorTokenError, and file system errors.
   */
  static load(dataFolder: string, random: Random): OperatorToken {
    const path = join(dataFolder, FILE);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url');
      const hash = sha256(token);
      replaceFile(path, `sha256:${hash.toString('hex')}\n`);
      return new OperatorToken(hash, token);
    }
    const match = /^sha256:([0-9a-f]{64})\n?$/.exec(text);
    if (match === null) {
      throw new OperatorTokenError(`${path} does not hold a token's hash; remove it and a new token is made`);
    }
    return new OperatorToken(Buffer.from(match[1]!, 'hex'), null);
  }

  /** Makes a new token next time; the old one is void from then on. */
  static forget(dataFolder: string): void {
    rmSync(join(dataFolder, FILE), { force: true });
  }

  /** In constant time: hashes are compared, and they have the same length. */
  matches(presented: string): boolean {
    return timingSafeEqual(sha256(presented), this.#hash);
  }

  /** Does an Authorization header carry the token (RFC 6750)? */
  authorizes(header: string | undefined): boolean {
    const match = /^bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(header ?? '');
    return match !== null && this.matches(match[1]!);
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
