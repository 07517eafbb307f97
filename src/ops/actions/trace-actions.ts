import { type Action, ActionRefused } from '../action.js';
import { integerParam, onlyParams, textParam } from '../params.js';
import type { Processes } from '../processes.js';
import type { Traces } from '../traces.js';

const FOR_MS_MAX = 10 * 60_000;
const MESSAGES_MAX = 100_000;

/** The messages of one process while they come and go. */
export function traceActions(processes: Pick<Processes, 'resolve'>, traces: Traces): readonly Action[] {
  return [
    {
      name: 'trace',
      description:
        'Begins to trace the messages of a process (pid), for so long (forMs) and so many (max) at most; direction: in, out or both. Fetched by trace-read.',
      changes: true,
      run: async (params) => {
        onlyParams(params, 'pid', 'forMs', 'max', 'direction');
        const forMs = integerParam(params, 'forMs', { min: 1, max: FOR_MS_MAX, otherwise: 10_000 });
        const max = integerParam(params, 'max', { min: 1, max: MESSAGES_MAX, otherwise: 1000 });
        const { direction = 'both' } = params;
        if (direction !== 'in' && direction !== 'out' && direction !== 'both')
          throw new ActionRefused(400, `direction must be in, out or both, not ${JSON.stringify(direction)}`);
        return traces.begin(await processes.resolve(textParam(params, 'pid')), { forMs, max, direction });
      },
    },
    {
      name: 'trace-read',
      description: 'What a trace has seen since it was read last.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'trace');
        return traces.read(textParam(params, 'trace'));
      },
    },
    {
      name: 'trace-stop',
      description: 'Ends a trace, and gives what it has seen since it was read last.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'trace');
        return traces.stop(textParam(params, 'trace'));
      },
    },
  ];
}
