import { json, type Page } from '../page.js';

export interface PartitionReport {
  readonly partition: number;
  /** Null: none runs it at the moment. */
  readonly scheduler: string | null;
  readonly moving: boolean;
  /** Users that are online, and those of them whose connection is on the same scheduler. */
  readonly users: number;
  readonly atHome: number;
}

export interface SchedulerReport {
  readonly scheduler: string;
  readonly state: 'running' | 'restarting' | 'silent';
  readonly partitions: number;
  readonly connections: number;
  /** The port that leads to it alone; 0: there is none. */
  readonly homePort: number;
}

export interface PartitionsReport {
  readonly partitions: readonly PartitionReport[];
  readonly schedulers: readonly SchedulerReport[];
}

export interface MoveOutcome {
  readonly to: string;
  /** Those that have moved; the others were there already. */
  readonly moved: readonly number[];
  /** Those that have not arrived in time. They are still on their way. */
  readonly late: readonly number[];
}

/** Implemented by the composition root. */
export interface PartitionsSource {
  report(): Promise<PartitionsReport>;
  /**
   * Moves these partitions, or all of the scheduler `from`, to the scheduler `to`.
   *
   * @throws RangeError for a scheduler or partition that there is not.
   */
  move(
    what: { readonly partitions: readonly number[] } | { readonly from: string },
    to: string,
  ): Promise<MoveOutcome>;
}

/** Partitions in one request. */
const LIST_MAX = 1024;

/**
 * `GET /api/partitions`: where each partition runs, and for how many users.
 * `POST /api/partitions/move?partitions=3,17&to=scheduler-2`, or `from=scheduler-1&to=scheduler-2` for all of one:
 * answers when they run there.
 */
export function partitionsPages(source: PartitionsSource): readonly Page[] {
  return [
    { path: '/api/partitions', access: 'token', reply: async () => json(await source.report()) },
    {
      path: '/api/partitions/move',
      access: 'token',
      method: 'POST',
      reply: async (query) => {
        const to = query.get('to');
        const from = query.get('from');
        const list = query.get('partitions');
        if (to === null)
          return json({ error: 'to is missing: the scheduler to which they are to move' }, 400);
        if ((from === null) === (list === null)) {
          return json({ error: 'either partitions or from is wanted: what is to move' }, 400);
        }
        const partitions = numbersIn(list ?? '0');
        if (partitions === null) {
          return json({ error: `partitions must be numbers with commas between them, not "${list}"` }, 400);
        }
        try {
          return json(await source.move(from === null ? { partitions } : { from }, to));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          return json({ error: error.message }, 404);
        }
      },
    },
  ];
}

function numbersIn(list: string): number[] | null {
  const parts = list.split(',');
  if (parts.length > LIST_MAX || !parts.every((part) => /^[0-9]{1,4}$/.test(part))) return null;
  return parts.map(Number);
}
