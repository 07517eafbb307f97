import type { Action } from '../action.js';
import { booleanParam, integerParam, onlyParams, optionalText, textParam } from '../params.js';
import type { Processes, ProcessOperation } from '../processes.js';

/** In one page of a list. */
const LIST_MAX = 1000;
/** In a sample of a mailbox. */
const MESSAGES_MAX = 100;

/** Looking at processes, and what can be done to one: `pid` is a pid, a registered name or a label. */
export function processActions(processes: Processes): readonly Action[] {
  const operation = (
    name: string,
    description: string,
    operationOf: (params: Readonly<Record<string, unknown>>) => ProcessOperation,
    known: readonly string[],
    secret: readonly string[] = [],
  ): Action => ({
    name,
    description,
    changes: true,
    secret,
    run: async (params) => {
      onlyParams(params, 'pid', ...known);
      const what = operationOf(params);
      return processes.perform(await processes.resolve(textParam(params, 'pid')), what);
    },
  });
  return [
    {
      name: 'processes',
      description:
        'Lists processes page by page, by label, name (with * for any characters), thread and length of mailbox.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'label', 'name', 'thread', 'mailboxMin', 'limit', 'after');
        return processes.list({
          label: optionalText(params, 'label'),
          name: optionalText(params, 'name'),
          thread: optionalText(params, 'thread'),
          mailboxMin: integerParam(params, 'mailboxMin', { min: 0, max: 2 ** 31, otherwise: 0 }),
          limit: integerParam(params, 'limit', { min: 1, max: LIST_MAX, otherwise: 50 }),
          after: optionalText(params, 'after'),
        });
      },
    },
    {
      name: 'inspect',
      description:
        'Everything about one process: links, monitors, counters, the oldest messages that wait and its state, without what people have written.',
      changes: false,
      run: async (params) => {
        onlyParams(params, 'pid', 'messages');
        const messages = integerParam(params, 'messages', { min: 0, max: MESSAGES_MAX, otherwise: 10 });
        return processes.inspect(await processes.resolve(textParam(params, 'pid')), messages);
      },
    },
    operation(
      'send',
      'Sends a process a message (JSON): behind those that wait, or before them; as it is, or as a cast.',
      (params) => ({
        op: 'send',
        message: params['message'] ?? null,
        first: booleanParam(params, 'first'),
        cast: booleanParam(params, 'cast'),
      }),
      ['message', 'first', 'cast'],
      ['message'],
    ),
    operation(
      'flush',
      'Throws away the oldest messages in the mailbox of a process: all of them, or at most so many.',
      (params) => ({
        op: 'flush',
        max: integerParam(params, 'max', { min: 1, max: 2 ** 31, otherwise: 2 ** 31 }),
      }),
      ['max'],
    ),
    operation(
      'kill',
      'Ends a process, whatever it does, with the reason killed. A supervisor only with force: all below it ends too.',
      (params) => ({ op: 'kill', force: booleanParam(params, 'force') }),
      ['force'],
    ),
    operation(
      'suspend',
      'Holds a process: what comes waits in its mailbox until it is resumed. A supervisor only with force.',
      (params) => ({
        op: 'suspend',
        hard: booleanParam(params, 'hard'),
        force: booleanParam(params, 'force'),
      }),
      ['hard', 'force'],
    ),
    operation('resume', 'Lets a process that was suspended go on.', () => ({ op: 'resume' }), []),
  ];
}
