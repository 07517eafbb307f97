#!/usr/bin/env node
import { Command } from 'commander';
import { VERSION } from '../app/version.js';
import { operatorTokenCommand } from './operator-token.js';
import { startCommand } from './start.js';

/** The `rookery` command. Each subcommand lives in a file of its own. */
const program = new Command('rookery')
  .description('A chat server that loses nothing, on an OTP-style actor runtime.')
  .version(VERSION)
  .showHelpAfterError('(rookery --help shows what there is)')
  .addCommand(startCommand())
  .addCommand(operatorTokenCommand())
  .addHelpText(
    'after',
    `
Examples:
  rookery start                                run the server, its data in ./data
  rookery start --port 9000 --data-folder /srv/chat`,
  );

await program.parseAsync();
