import { resolve } from 'node:path';
import type { Config } from './config.js';
import type { Log } from './log.js';
import type { Operator } from './operator.js';
import { VERSION } from './version.js';

/** Where people chat. */
export function chatUrl({ host, tlsKeyFile }: Config, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${tlsKeyFile === '' ? 'http' : 'https'}://${name}:${port}/`;
}

/** Says that the server serves: a line in the log, and beside a person at the terminal what to do now. */
export function banner(
  log: Log,
  config: Config,
  operator: Operator,
  facts: {
    readonly port: number;
    readonly homePorts: readonly number[];
    readonly epoch: number;
    readonly showsPins: boolean;
  },
): void {
  log.info(
    {
      port: facts.port,
      ...(facts.homePorts.length === 0 ? {} : { homePorts: facts.homePorts }),
      operatorPort: operator.port,
      // With the token behind the #, at the first start only: nobody can be told it again.
      ...(operator.tokenIsOld ? {} : { operator: operator.url }),
      schedulers: config.schedulers,
      data: resolve(config.dataFolder),
      epoch: facts.epoch,
    },
    `rookery ${VERSION} is serving`,
  );
  if (config.logFormat === 'json' || (config.logFormat === 'auto' && !process.stdout.isTTY)) return;
  const url = chatUrl(config, facts.port);
  const lines = [
    '',
    `  Chat in the browser    ${url}`,
    `  Chat in a terminal     npx rookery chat --server ${url}`,
    `  The operator's page    ${operator.url}`,
    ...(operator.tokenIsOld
      ? ['                         (asks for the token of the first start; lost? npx rookery operator-token)']
      : []),
    '',
    ...(facts.showsPins ? ['  PINs are printed here: register two numbers in two windows, and chat.'] : []),
    '  Then kill me with kill -9, start me again, and look for a message that got lost.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
