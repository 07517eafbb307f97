import { type Action, ActionRefused, type Asker } from '../action.js';
import type { KnobAuthor, Knobs } from '../knobs.js';
import { integerParam, onlyParams, optionalText, textParam } from '../params.js';

const MESSAGE_CHARS_MAX = 500;
const HISTORY_MAX = 1000;
const CHANGES_MAX = 200;

type Params = Readonly<Record<string, unknown>>;

/** Reading and turning knobs; every change stands in the operator's ledger. */
export function knobActions(knobs: Knobs): readonly Action[] {
  return [
    {
      name: 'knob-list',
      description: 'All knobs: what they are, what is allowed, where their values come from.',
      changes: false,
      run: async (params) => {
        onlyParams(params);
        return { knobs: await knobs.list() };
      },
    },
    {
      name: 'knob-get',
      description: 'One knob.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'name');
        return knobs.get(textParam(params, 'name'));
      },
    },
    {
      name: 'knob-set',
      description:
        'Turns a knob (name, value), or several at once (values), on all threads, and keeps it so.',
      changes: true,
      run: (params, asker) => {
        onlyParams(params, 'name', 'value', 'values', 'message');
        return knobs.set(valuesOf(params), by(params, asker));
      },
    },
    {
      name: 'knob-history',
      description: 'Who turned which knob when, newest first: of one knob, or all.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'name', 'limit');
        const limit = integerParam(params, 'limit', { min: 1, max: HISTORY_MAX, otherwise: 100 });
        return { entries: knobs.history(optionalText(params, 'name'), limit) };
      },
    },
    {
      name: 'knob-revert',
      description:
        'Gives a knob the value of the configuration again (name), or all knobs those they had after an entry of the history (to).',
      changes: true,
      run: (params, asker) => {
        onlyParams(params, 'name', 'to', 'message');
        const name = optionalText(params, 'name');
        if ((name === null) === (params['to'] === undefined))
          throw new ActionRefused(400, 'either name or to is wanted: what is to be reverted');
        if (name !== null) return knobs.revert(name, by(params, asker));
        return knobs.revertTo(integerParam(params, 'to', { min: 0, max: 2 ** 31 }), by(params, asker));
      },
    },
  ];
}

function valuesOf(params: Params): Params {
  const { values } = params;
  if (values === undefined) {
    if (params['value'] === undefined) throw new ActionRefused(400, 'value is missing');
    return { [textParam(params, 'name')]: params['value'] };
  }
  if (params['name'] !== undefined || params['value'] !== undefined)
    throw new ActionRefused(400, 'either name and value or values');
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new ActionRefused(400, `values must be an object, not ${JSON.stringify(values)}`);
  const count = Object.keys(values).length;
  if (count === 0 || count > CHANGES_MAX)
    throw new ActionRefused(400, `values must have 1 to ${CHANGES_MAX} knobs, not ${count}`);
  return values as Params;
}

function by(params: Params, { author, address }: Asker): KnobAuthor {
  const message = optionalText(params, 'message') ?? '';
  if (message.length > MESSAGE_CHARS_MAX)
    throw new ActionRefused(400, `message may have ${MESSAGE_CHARS_MAX} characters, not ${message.length}`);
  return { author, address, message };
}
