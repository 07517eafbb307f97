import { Command } from 'commander';
import { loadConfigWithFile } from '../app/config-file.js';
import { renewOperatorToken } from '../app/renew-operator-token.js';

/** `rookery operator-token`: makes a new token for the operator's page when the first one was lost. */
export function operatorTokenCommand(): Command {
  return new Command('operator-token')
    .summary("make a new token for the operator's page")
    .description(
      "Makes a new token for the operator's page and prints it; only its hash is kept. The old one is void. A running server learns of it at its next start.",
    )
    .option('--data-folder <folder>', "the server's data folder")
    .option('--config <file>', 'the file with its settings')
    .action((flags: Record<string, unknown>) => {
      const config = loadConfigWithFile(flags, process.env, process.cwd());
      process.stdout.write(`${renewOperatorToken(config)}\n`);
    });
}
