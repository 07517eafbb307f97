/**
 * A process with a persistence engine on the file in `argv[2]`, for a test that kills it: nact actors that persist as fast
 * as they can, and say what was persisted. Each takes up where its events say that it was.
 */
import { configurePersistence, dispatch, type Ref, spawnPersistent, start } from 'nact';
import { openPersistenceEngine } from '../../src/nact/open-persistence-engine.js';

const ACTORS = 5;

interface Tick {
  readonly n: number;
  readonly filler: string;
}
interface Context {
  readonly recovering?: boolean;
  readonly self: Ref<unknown>;
  persist(message: Tick): Promise<void>;
}

let said: [actor: number, n: number][] = [];
let saying = false;

/** One message to the parent for everything that came since the last one. */
function say(actor: number, n: number): void {
  said.push([actor, n]);
  if (saying) return;
  saying = true;
  setImmediate(() => {
    saying = false;
    process.send!({ type: 'persisted', said });
    said = [];
  });
}

const engine = await openPersistenceEngine({ path: process.argv[2]!, snapshotsKept: 1 });
const system = start(configurePersistence(engine));
for (let actor = 0; actor < ACTORS; actor++) {
  const ticking = spawnPersistent(
    system,
    async (count: number | undefined, message: Tick | 'go', context: unknown) => {
      const { recovering, persist, self } = context as Context;
      if (message !== 'go') {
        if (message.n !== (count ?? 0) + 1)
          throw new Error(`actor ${actor} is at ${count}, and finds ${message.n}`);
        return message.n;
      }
      if (recovering === true) throw new Error('this was never persisted');
      // Some at a time, not awaited one by one: they share commits.
      const from = count ?? 0;
      const many = 1 + ((from * 7) % 5);
      const persisted: Promise<void>[] = [];
      for (let n = from + 1; n <= from + many; n++) {
        const filler = 'f'.repeat((n * 131) % 2000);
        persisted.push(persist({ n, filler }).then(() => say(actor, n)));
      }
      await Promise.all(persisted);
      dispatch(self, 'go' as never);
      return from + many;
    },
    `actor-${actor}`,
    `actor-${actor}`,
    {
      snapshotEvery: 50,
      onCrash: (_message: unknown, error: unknown) => {
        throw error;
      },
    },
  );
  dispatch(ticking, 'go');
}
process.send!({ type: 'open' });
