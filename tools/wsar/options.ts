import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Wanted } from './columns.js';

export interface CommonFlags {
  readonly operator: string;
  readonly token?: string;
  readonly local?: true;
  readonly groups?: readonly string[];
  readonly columns?: readonly string[];
  readonly plugin?: readonly string[];
}

export function wantedOf({ groups, columns }: CommonFlags): Wanted {
  return { groups: groups ?? null, columns: columns ?? null };
}

function list(text: string): readonly string[] {
  const words = text.split(',').filter((word) => word !== '');
  if (words.length === 0) throw new InvalidArgumentError('names with commas between them are wanted');
  return words;
}

/** What both watching and recording want. The address and the token are given as to every other command. */
export function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--operator <url>', "the operator's port of the server")
        .default('http://127.0.0.1:8471/')
        .env('ROOKERY_OPERATOR'),
    )
    .addOption(new Option('--token <token>', "the operator's token").env('ROOKERY_OPERATOR_TOKEN'))
    .option('--local', 'this machine alone, without a server')
    .option('-g, --groups <names>', 'groups of columns, such as os,sched,msgq; all: every one', list)
    .option('-c, --columns <names>', 'columns: name or group.name', list)
    .option(
      '--plugin <file>',
      'a JavaScript module with more groups; can be given again',
      (file: string, before: readonly string[] = []) => [...before, file],
    );
}
