import { Command } from 'commander';
import { operatorOptions } from '../operator-client.js';
import { cpuCommand } from './cpu.js';
import { handlersCommand } from './handlers.js';
import { heapCommand } from './heap.js';
import { ringsCommand } from './rings.js';

/** `rookery profile`: where the time and the memory of a running server go. Each of its subcommands is a file here. */
export function profileCommand(): Command {
  const command = new Command('profile')
    .summary('show where the time and the memory of a running server go')
    .description(
      'Shows where the time and the memory of a running server go. Made for servers that people use: docs/operations/profiles.md says what each costs.',
    )
    .addHelpText(
      'after',
      `
Examples:
  rookery profile handlers                        which handlers take the time, all schedulers together
  rookery profile cpu scheduler-1 --for 30s       a .cpuprofile for speedscope or Chrome
  rookery profile rings --for 1m                  which rings between threads hold up
  rookery profile heap scheduler-1                its memory

Exit codes: 0 done, 1 refused or no answer, 2 a wrong command line, 130 interrupted twice.`,
    );
  for (const option of operatorOptions()) command.addOption(option);
  return command
    .addCommand(cpuCommand())
    .addCommand(handlersCommand())
    .addCommand(ringsCommand())
    .addCommand(heapCommand());
}
