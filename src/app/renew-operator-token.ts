import { OperatorToken } from '../ops/operator-token.js';
import { SystemRandom } from '../structures/system-random.js';
import type { Config } from './config.js';

/** Makes a new token for the operator's page and returns it; only its hash is kept, and the old one is void. */
export function renewOperatorToken(config: Config): string {
  OperatorToken.forget(config.dataFolder);
  const { fresh } = OperatorToken.load(config.dataFolder, new SystemRandom());
  if (fresh === null) throw new Error('another program made a token at the same time');
  return fresh;
}
