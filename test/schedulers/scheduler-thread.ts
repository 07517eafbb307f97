/** A scheduler thread of a {@link TestNode}: plays the role that it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import { ExitReason, NameTaken, type Pid, Runtime, receive } from '../../src/actors/index.js';
import { type GroupMessage, ProcessGroups } from '../../src/registry/index.js';
import { RingRouter, SharedNameTable } from '../../src/schedulers/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { testCodecs } from './test-codecs.js';
import type { ThreadData } from './test-node.js';

const { links, role, argument, knobs } = workerData as ThreadData;
const port = parentPort!;
const router = new RingRouter({ links, codecs: testCodecs, ...knobs });
const runtime = new Runtime({
  clock: new SystemClock(),
  random: new SystemRandom(),
  scheduler: links.number,
  router,
  names: router.names,
  events: (event) => port.postMessage({ event: event.type }),
});
router.start(runtime);
port.on('message', (message) => {
  if (message === 'end') process.exit(0);
});

/** What a `series` is asked for: so many messages to `to`, numbered, and then the end. */
export interface SeriesOrder {
  readonly to: Pid<unknown>;
  readonly series: number;
  readonly count: number;
  /** How the process that sends them is tied to `to`. */
  readonly tie: 'link' | 'none';
}

/** What the agent of a `groups` thread is asked for. */
export type GroupOrder =
  /** So many new processes join. */
  | { readonly type: 'join'; readonly group: string; readonly count: number }
  /** They leave one after the other. */
  | { readonly type: 'leave'; readonly group: string }
  | { readonly type: 'die' };

/** What it posts: what its own scope says of each change. */
export interface GroupNews {
  readonly type: 'join' | 'leave' | 'begin';
  readonly group: string;
  /** Scheduler and id of each. */
  readonly pids: readonly string[];
  readonly members: readonly string[];
}

/** What a `names` thread is to do. */
export interface NameOrder {
  readonly names: readonly string[];
  readonly rounds: number;
  /** Shared: for each name the number of the scheduler that believes to have it. */
  readonly owners: SharedArrayBuffer;
}

const roles: Record<string, () => void> = {
  /** Sends back what it gets to the pid that it got first. */
  echo() {
    runtime.spawn<unknown>(
      (self) => {
        let peer: Pid<unknown> | null = null;
        return {
          receive(message) {
            if (peer === null) peer = message as Pid<unknown>;
            else self.send(peer, message);
          },
        };
      },
      { name: `echo-${links.number}` },
    );
  },

  /** For each order a process that sends a series and ends with its number as the reason. */
  series() {
    runtime.spawn<SeriesOrder>(
      (factory) => ({
        receive(order) {
          const { to, series, count, tie } = order as SeriesOrder;
          const pid = factory.spawn<number>((self) => {
            let sent = 0;
            if (tie === 'link') self.link(to);
            self.send(to, ['begin', series, self]);
            return {
              receive(left) {
                for (let n = 0; n < 1 + (series % 7) && sent < count; n++)
                  self.send(to, ['item', series, sent++]);
                if (sent === count) self.exit(ExitReason.custom(series));
                self.send(self, (left as number) - 1);
              },
            };
          });
          factory.send(pid, count);
        },
      }),
      { name: `series-${links.number}` },
    );
  },

  /** Takes all the names that it is told, or as many as others leave it, again and again; posts how often it had each. */
  names() {
    const { names, rounds, owners } = argument as NameOrder;
    const held = new Int32Array(owners);
    const had = names.map(() => 0);
    let clashes = 0;
    let left = rounds;
    const round = () => {
      for (const [index, name] of names.entries()) {
        try {
          runtime.spawn<never>(
            (self) => {
              // Nobody else may believe to have it.
              if (Atomics.compareExchange(held, index, 0, links.number) !== 0) clashes++;
              had[index]!++;
              if (runtime.whereis(name) !== (self as unknown)) clashes++;
              // Before its name is given back, which its end does.
              Atomics.store(held, index, 0);
              self.exit(ExitReason.normal);
              throw new Error('unreachable');
            },
            { name },
          );
        } catch (error) {
          if (!(error instanceof NameTaken)) throw error;
        }
      }
      if (--left > 0) runtime.clock.defer(round);
      else port.postMessage({ had, clashes });
    };
    runtime.clock.defer(round);
  },

  /** Takes the lock of the names, and dies with it when somebody else waits for it. */
  lock() {
    router.names.holdLock();
    port.on('message', () => {
      throw new Error('dies with the lock');
    });
  },

  /** Joins and leaves groups as it is told, and posts what it hears of them: in the end as at the beginning. */
  groups() {
    const groups = new ProcessGroups('rooms');
    groups.start(runtime);
    const name = (pid: Pid) => `${pid.scheduler}.${pid.id}`;
    const tell = (type: GroupNews['type'], group: string, pids: readonly Pid[]) => {
      const members = groups.getMembers(runtime, group).map(name);
      port.postMessage({ type, group, pids: pids.map(name), members } satisfies GroupNews);
    };
    runtime.spawn<GroupMessage<string>>(function* () {
      const { groups: known } = yield* groups.monitorScope();
      for (const [group, pids] of known) tell('begin', group, pids);
      for (;;) {
        const { type, group, pids } = (yield* receive()) as GroupMessage<string>;
        tell(type, group, pids);
      }
    });
    const mine: Pid<unknown>[] = [];
    runtime.spawn<GroupOrder>(
      function* () {
        for (;;) {
          const order = (yield* receive()) as GroupOrder;
          if (order.type === 'join') {
            const pids = Array.from({ length: order.count }, () =>
              runtime.spawn<unknown>(() => ({ receive() {} })),
            );
            mine.push(...pids);
            yield* groups.join(order.group, pids);
          } else if (order.type === 'leave') {
            for (const pid of mine.splice(0)) yield* groups.leave(order.group, pid);
          } else {
            runtime.clock.defer(() => {
              throw new Error('the thread dies');
            });
          }
        }
      },
      { name: `groups-${links.number}` },
    );
  },

  /** Takes a name, however long the lock is held by somebody. */
  waiter() {
    const names = new SharedNameTable(links.names, links.number, 60_000);
    runtime.clock.defer(() => port.postMessage(names.register('waited for', 1)));
  },

  /** Floods the pid that it gets, and ends its thread by an error in the middle when told how many were enough. */
  doomed() {
    runtime.spawn<unknown>(
      (self) => {
        let to: Pid<unknown> | null = null;
        let count = 0;
        return {
          receive(message) {
            if (to === null) {
              to = message as Pid<unknown>;
              for (let n = 0; n < 100; n++) {
                const child = self.spawn<never>(() => ({ receive() {} }));
                self.send(to, ['child', n, child]);
              }
            }
            for (let n = 0; n < 50; n++) self.send(to, ['flood', count++]);
            if (count >= (argument as number)) {
              runtime.clock.defer(() => {
                throw new Error('the thread dies');
              });
            }
            self.send(self, 'go on');
          },
        };
      },
      { name: `doomed-${links.number}` },
    );
  },
};

roles[role]!();
port.postMessage('ready');
