import { Command } from 'commander';
import { ConfigError } from '../app/config.js';
import { loadConfigWithFile } from '../app/config-file.js';
import { startServer } from '../app/main.js';
import { settingOptions } from '../app/settings-help.js';
import { StartRefused } from '../app/start-refused.js';

/** Exit codes of `rookery start`. */
const EXIT = { refused: 1, badConfiguration: 2 } as const;

/** `rookery start`: runs the server until SIGTERM or SIGINT. */
export function startCommand(): Command {
  const command = new Command('start')
    .description('Run the chat server in the foreground.')
    .summary('run the chat server')
    .addHelpText(
      'after',
      `
Every setting can also stand in the environment (ROOKERY_PORT=9000) or in a TOML file (--config, or ./rookery.toml).
Flags win over the environment, the environment over the file. SIGTERM or SIGINT stops the server in order: clients
are sent away, everything is written; a second one hurries.

Exit codes: 0 stopped in order, 1 the start was refused or the server had to give up, 2 the configuration is wrong.`,
    );
  for (const option of settingOptions()) command.addOption(option);
  command.action(async (flags: Record<string, unknown>) => {
    try {
      const server = await startServer(loadConfigWithFile(flags, process.env, process.cwd()));
      process.exitCode = await server.ended;
    } catch (error) {
      if (error instanceof ConfigError) {
        process.stderr.write(`${error.message}\n`);
        process.exitCode = EXIT.badConfiguration;
      } else if (error instanceof StartRefused) {
        process.stderr.write(`The server could not start: ${error.message}\n`);
        process.exitCode = EXIT.refused;
      } else throw error;
    }
  });
  return command;
}
