import type { Snapshot } from '../../src/ops/inspector.js';

/** What a server that is well says about itself, with differences. */
export function aSnapshot(different: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1,
    at: 1_700_000_000_000,
    uptimeMs: 1234,
    server: {
      name: 'rookery',
      version: '0.1.0',
      node: 'v20',
      pid: 1,
      state: 'running',
      epoch: 1,
      development: false,
      chatUrl: 'http://127.0.0.1:8470/',
    },
    memory: { residentBytes: 1 },
    threads: [{ name: 'main', state: 'running', utilization: 0.5, heapUsedBytes: 1 }],
    connections: { open: 1, opened: 2, closed: 1, refused: 0 },
    sessions: { running: 1, online: 1, atHome: 1 },
    locality: { local: 3, remote: 1 },
    mailboxes: { processes: 3, waiting: 0, longest: 0 },
    store: {
      commits: 1,
      commands: 2,
      failures: 0,
      walBytes: 0,
      youngBytes: 0,
      queuedBytes: 0,
      queuedBytesMax: 0,
    },
    chat: { sends: 1 },
    ...different,
  };
}
