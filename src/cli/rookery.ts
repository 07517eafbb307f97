#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { onClosedOutput } from '../../tools/wsar/closed-output.js';
import { wsarCommand } from '../../tools/wsar/wsar-command.js';
import { VERSION } from '../app/version.js';
import { alertsCommand } from './alerts.js';
import { chatCommand } from './chat/chat-command.js';
import { codeCommand } from './code/code-command.js';
import { faultCommand } from './fault.js';
import { knobCommand } from './knob.js';
import { operatorTokenCommand } from './operator-token.js';
import { partitionsCommand } from './partitions.js';
import { inspectCommand, processCommands, psCommand } from './processes.js';
import { profileCommand } from './profile/profile-command.js';
import { startCommand } from './start.js';
import { topCommand } from './top.js';
import { traceCommand } from './trace.js';

/** The `rookery` command. Each subcommand lives in a file of its own. */
const program = new Command('rookery')
  .description('A chat server that loses nothing, on an OTP-style actor runtime.')
  .version(VERSION)
  .addHelpText(
    'after',
    `
Examples:
  rookery start                                run the server, its data in ./data
  rookery start --port 9000 --data-folder /srv/chat
  rookery chat                                 chat with the server on this machine
  rookery top                                  the busiest processes, live
  rookery ps --mailbox 1000                    which processes are behind
  rookery inspect partition-17                 everything about one of them
  rookery alerts                               what is wrong
  rookery wsar -g sched,msgq 1                 figures, live; -f data/wsar: recorded
  rookery knob set log-level debug             change a setting while the server runs
  rookery code load src/chat/handlers/server-info.ts   change its code while people chat
  rookery profile handlers                     which handlers take the time
  rookery partitions move --from 1 --to 2      take the inboxes off a scheduler`,
  );
const started = startCommand();
const commands = [
  started,
  chatCommand(),
  topCommand(),
  psCommand(),
  inspectCommand(),
  ...processCommands(),
  traceCommand(),
  knobCommand(),
  partitionsCommand(),
  alertsCommand(),
  wsarCommand(),
  profileCommand(),
  faultCommand(),
  codeCommand(),
  operatorTokenCommand(),
];
for (const command of commands) {
  program.addCommand(command.showHelpAfterError(`(rookery ${command.name()} --help shows what there is)`));
}
program.showHelpAfterError('(rookery --help shows what there is)');

// A command line that is wrong exits with 2, as a configuration that is wrong does.
for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap(({ commands }) => commands),
]) {
  command.exitOverride();
}
// Nobody reads what it has to say: it is over, and has failed only if it knows of something. A server goes on without its output.
let serves = false;
program.hook('preAction', (_program, command) => {
  serves = command === started;
});
onClosedOutput(() => {
  if (!serves) process.exit();
});
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
