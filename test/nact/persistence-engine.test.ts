import type { PersistenceEngine } from 'nact';
// @ts-expect-error nact has no types for its tests
import mock from 'nact/test/mock-persistence-engine.js';
import { openPersistenceEngine } from '../../src/nact/open-persistence-engine.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { persistenceContract } from './persistence-contract.js';

const { MockPersistenceEngine } = mock as { MockPersistenceEngine: new () => PersistenceEngine };

persistenceContract({ name: "nact's mock", complete: false, open: async () => new MockPersistenceEngine() });

persistenceContract({
  name: 'a journal in a thread',
  complete: true,
  open: async (t) => {
    const engine = await openPersistenceEngine({ path: `${temporaryFolder(t)}/journal.db` });
    atEnd(t, () => engine.close());
    return engine;
  },
});
