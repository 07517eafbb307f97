#!/usr/bin/env node
import { CommanderError } from 'commander';
import { onClosedOutput } from './closed-output.js';
import { wsarCommand } from './wsar-command.js';

/** The `wsar` command on its own; `rookery wsar` is the same. */
const program = wsarCommand().showHelpAfterError('(wsar --help shows what there is)');
onClosedOutput(() => process.exit());
for (const command of [program, ...program.commands]) command.exitOverride();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
