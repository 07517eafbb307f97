import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { gauge } from '../../metrics/columns.js';
import type { GroupSource, Row } from '../../metrics/reading.js';

export interface ResourceGroupParts {
  readonly dataFolder: string;
  /** Bytes of commands that wait for the writer, and the room that there is. */
  readonly writer: () => { readonly used: number; readonly limit: number };
}

/**
 * How much of what there is a bound on has been used: what runs out one day. Read on the main thread alone, so that it is
 * known also of a server whose threads do not answer.
 */
export function resourceGroup(parts: ResourceGroupParts): GroupSource {
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
    async read() {
      const { used, limit } = parts.writer();
      const disk = await diskOf(parts.dataFolder);
      return [
        row('memory', process.memoryUsage.rss(), memoryLimit()),
        row('disk', disk?.used ?? null, disk?.limit ?? null),
        row('writer', used, limit),
      ];
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
