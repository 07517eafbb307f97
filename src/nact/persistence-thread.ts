import {
  type Blocking,
  Exit,
  type ExitHook,
  ExitMessage,
  ExitReason,
  type Name,
  type Pid,
  type Process,
  type Receiver,
  type StartOutcome,
  StopMessage,
  settled,
  startProcess,
} from '../actors/index.js';
import type { JournalPort } from '../storage/journal/journal-port.js';
import { type JournalThread, startJournalThread } from '../storage/journal/start-journal-thread.js';
import type { SqliteJournalOptions } from '../storage/sqlite/sqlite-journal.js';
import type { ChildOverrides, ChildSpec } from '../supervisors/index.js';

export interface PersistenceThreadOptions extends SqliteJournalOptions {
  readonly name?: Name;
}

/**
 * The thread of a persistence engine as a child of a supervisor: its end is the process's end, with its error. The engine
 * outlives it: what had no answer is asked of the next thread, so actors notice nothing but the time that it takes.
 *
 *     const port = new JournalPort();
 *     const engine = new JournalPersistenceEngine(port);
 *     children: [persistenceThread('journal', port, { path: './ledger.db' }), nactSystem('ledger', …)]
 *
 * Put it before those who use it: children stop in reverse. A file that cannot be opened is a start that fails, with the
 * StoreOpenError.
 */
export function persistenceThread(
  id: string,
  port: JournalPort,
  { name, ...journal }: PersistenceThreadOptions,
  overrides: ChildOverrides = {},
): ChildSpec {
  const naming = name === undefined ? { label: id } : { label: id, name };
  let last: JournalThread | null = null;
  return {
    id,
    start: (parent) =>
      startProcess<never>(parent.runtime, { ...naming, trapExit: true, parent, link: true }, (self, ack) => {
        self.receiver = { receive() {} };
        const opened = async () => {
          const thread = await startJournalThread(port, journal);
          last = thread;
          // It was killed meanwhile.
          if (!self.alive) thread.terminate();
          return thread;
        };
        self.block(started(last, opened), (thread) => {
          self.receiver = new ThreadBehind(self, parent, thread);
          ack.ok();
        });
        return self.receiver;
      }) as StartOutcome<Pid<never>>,
    ...overrides,
  };
}

function* started(last: JournalThread | null, open: () => Promise<JournalThread>): Blocking<JournalThread> {
  // One that was killed holds the file until its thread has ended.
  if (last !== null) yield* settled(last.ended);
  return yield* settled(open());
}

class ThreadEnded {
  constructor(readonly error: Error | null) {}
}

class ThreadBehind implements Receiver<unknown>, ExitHook {
  constructor(
    self: Process<never>,
    private readonly parent: Pid,
    private readonly thread: JournalThread,
  ) {
    self.onExit(this);
    const { runtime } = self;
    void thread.ended.then((error) => runtime.send(self as unknown as Pid<unknown>, new ThreadEnded(error)));
  }

  receive(message: unknown): void {
    if (message instanceof ThreadEnded) {
      throw message.error ?? new Exit(ExitReason.normal);
    } else if (message instanceof StopMessage) {
      throw new Exit(message.take());
    } else if (message instanceof ExitMessage) {
      if (message.from === this.parent || message.reason.type !== 'normal') throw new Exit(message.reason);
    }
  }

  /** What it was asked for is done first. */
  *terminate(): Blocking<void> {
    yield* settled(this.thread.close());
  }

  processExited(): void {
    this.thread.terminate();
  }
}
