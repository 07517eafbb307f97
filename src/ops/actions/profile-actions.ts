import { type Action, ActionRefused } from '../action.js';
import { booleanParam, integerParam, onlyParams, textParam } from '../params.js';
import { PROFILE_LIMITS, type ProfileKind, type Profiles } from '../profiles.js';

/** How long one `profile-wait` may take. */
const WAIT_MS_MAX = 10_000;
const IDS = { min: 1, max: Number.MAX_SAFE_INTEGER } as const;

/** Where the time and the memory of the threads go. A profile is begun, waited for, and fetched. */
export function profileActions(profiles: Profiles): readonly Action[] {
  const { msMin, msMax, intervalUsMin, intervalUsMax, samplesMax } = PROFILE_LIMITS;
  const start = (kind: ProfileKind, description: string, intervalUs: number): Action => ({
    name: `profile-${kind}`,
    description,
    changes: true,
    run: (params, asker) => {
      onlyParams(params, 'ms', 'intervalUs', ...(kind === 'cpu' ? ['thread'] : []));
      const request = {
        kind,
        thread: kind === 'cpu' ? textParam(params, 'thread') : null,
        ms: integerParam(params, 'ms', { min: msMin, max: msMax, otherwise: 10_000 }),
        intervalUs: integerParam(params, 'intervalUs', {
          min: intervalUsMin,
          max: intervalUsMax,
          otherwise: intervalUs,
        }),
      };
      const samples = Math.ceil((request.ms * 1000) / request.intervalUs);
      if (samples > samplesMax)
        throw new ActionRefused(
          400,
          `${request.ms} ms with a sample each ${request.intervalUs} µs are ${samples} samples, and may be ${samplesMax}`,
        );
      return profiles.start(request, asker);
    },
  });
  return [
    start('cpu', 'Begins a CPU profile of one thread: thread, ms, intervalUs. It ends by itself.', 1000),
    start(
      'handlers',
      'Begins to sample which handlers of all schedulers take the time: ms, intervalUs. It ends by itself.',
      2000,
    ),
    {
      name: 'profile-wait',
      description: 'Waits for a profile, for ms at most: how long it goes on, or its result.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'id', 'ms');
        const ms = integerParam(params, 'ms', { min: 0, max: WAIT_MS_MAX, otherwise: 1000 });
        return profiles.wait(integerParam(params, 'id', IDS), ms);
      },
    },
    {
      name: 'profile-fetch',
      description:
        'A part of the .cpuprofile that a CPU profile has come to, from offset on (in characters), and where to go on.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'id', 'offset');
        const offset = integerParam(params, 'offset', { min: 0, max: 2 ** 31, otherwise: 0 });
        return profiles.chunk(integerParam(params, 'id', IDS), offset);
      },
    },
    {
      name: 'profile-end',
      description: 'Ends a profile before its time; what was found until then is its result.',
      changes: true,
      run: async (params) => {
        onlyParams(params, 'id');
        await profiles.end(integerParam(params, 'id', IDS));
      },
    },
    {
      name: 'profile-heap',
      description: 'The memory of one thread: its heap by spaces, and what it holds outside of it.',
      changes: false,
      run: (params) => {
        onlyParams(params, 'thread');
        return profiles.heap(textParam(params, 'thread'));
      },
    },
    {
      name: 'profile-snapshot',
      description:
        'Writes a heap snapshot of one thread into the profiles folder of the data folder. The thread stands still meanwhile, for seconds: only with yes.',
      changes: true,
      run: async (params) => {
        onlyParams(params, 'thread', 'file', 'yes');
        const thread = textParam(params, 'thread');
        const file = textParam(params, 'file');
        if (!/^[\w-][\w.-]{0,127}$/.test(file))
          throw new ActionRefused(
            400,
            `file must be a name without a folder, of letters, digits, "_", "-" and ".", not ${JSON.stringify(file).slice(0, 100)}`,
          );
        if (booleanParam(params, 'yes')) return profiles.snapshot(thread, file);
        const { usedBytes } = await profiles.heap(thread);
        const mebibytes = Math.ceil(usedBytes / 1024 / 1024);
        throw new ActionRefused(
          409,
          `${thread} would stand still while it writes out ${mebibytes} MiB of heap (seconds for each 100 MiB), and take as much memory again (a busy scheduler may be given up by the others meanwhile: move its partitions first); the file holds what people have written. With yes it is done`,
        );
      },
    },
  ];
}
