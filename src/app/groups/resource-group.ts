import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { gauge } from '../../metrics/columns.js';
import type { GroupSource, Row } from '../../metrics/reading.js';
import type { Clock } from '../../structures/clock.js';

/** How often the system is asked for what changes slowly: how full the disk is, and how much memory there may be. */
const LIMITS_MS = 5000;

export interface ResourceGroupParts {
  readonly clock: Clock;
  readonly dataFolder: string;
  /** Memory of the server as the operating system counts it. */
  readonly residentBytes: () => number;
  /** Bytes of commands that wait for the writer, and the room that there is. */
  readonly writer: () => { readonly used: number; readonly limit: number };
}

interface Limits {
  readonly at: number;
  readonly memory: number;
  readonly disk: { readonly used: number; readonly limit: number } | null;
}

/**
 * How much of what there is a bound on has been used: what runs out one day. Read on the main thread alone, so that it is
 * known also of a server whose threads do not answer.
 */
export function resourceGroup(parts: ResourceGroupParts): GroupSource {
  let limits: Limits | null = null;
  const rowsOf = ({ memory, disk }: Limits) => {
    const { used, limit } = parts.writer();
    return [
      row('memory', parts.residentBytes(), memory),
      row('disk', disk?.used ?? null, disk?.limit ?? null),
      row('writer', used, limit),
    ];
  };
  return {
    description: {
      name: 'resource',
      version: 1,
      title: 'What runs out',
      instance: 'resource',
      columns: [
        gauge('used', 'By', 'How much is used.'),
        gauge('limit', 'By', 'How much there can be.'),
        gauge('share', '1', 'The used share of it.'),
      ],
    },
    read() {
      const { clock, dataFolder } = parts;
      const now = clock.now();
      if (limits !== null && now - limits.at < LIMITS_MS) return rowsOf(limits);
      return diskOf(dataFolder).then((disk) => {
        limits = { at: now, memory: memoryLimit(), disk };
        return rowsOf(limits);
      });
    },
  };
}

function row(instance: string, used: number | null, limit: number | null): Row {
  const share = used === null || limit === null || limit === 0 ? null : used / limit;
  return { instance, figures: [used, limit, share] };
}

/** That of the control group, if it has one, else the machine's. */
function memoryLimit(): number {
  // Without a limit it is 0, or more than any machine has.
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < 2 ** 50 ? constrained : totalmem();
}

/** What may be written there, and what has been, as somebody without privileges sees it. */
async function diskOf(folder: string): Promise<{ used: number; limit: number } | null> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(folder);
    const used = (blocks - bfree) * bsize;
    return { used, limit: used + bavail * bsize };
  } catch {
    return null;
  }
}
