import { ExitReason, formatReason } from '../../src/actors/exit-reason.js';
import type { Pid } from '../../src/actors/pid.js';
import type { Router } from '../../src/actors/router.js';
import { Runtime } from '../../src/actors/runtime.js';
import { ChatScheduler, type ChatSchedulerParts } from '../../src/app/chat-scheduler.js';
import type { PartitionMessage, RegistrarMessage, SessionMessage } from '../../src/chat/messages.js';
import type { SmsGateway } from '../../src/chat/sms-gateway.js';
import { PARTITIONS, type StorePort } from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { roomyRegistrations } from '../support/roomy-registrations.js';
import type { ScopedClock } from './scoped-clock.js';
import type { Swarm } from './swarm.js';
import type { Trace } from './trace.js';

export interface ServerParts {
  readonly clock: ScopedClock;
  readonly seed: number;
  readonly trace: Trace;
  readonly swarm: Swarm;
  /** Of this incarnation among the schedulers of the node, and its place among them. */
  readonly number: number;
  readonly place: number;
  readonly router: Router;
  readonly store: StorePort;
  readonly epoch: number;
  readonly incarnation: number;
  readonly gateway: SmsGateway;
  /** Survives restarts, as the file that it is in. */
  readonly secret: Uint8Array;
  readonly onPartition: ChatSchedulerParts['onPartition'];
  readonly onEnd: (reason: ExitReason) => void;
  readonly onCrash: (label: string, reason: string) => void;
}

/** What marks the crashes that were meant. */
const INJECTED = 'injected crash';

/**
 * The server's scheduler: the production composition over a simulated clock and store, and how to hurt it. What is
 * here dies with the process.
 */
export class SimulatedServer {
  readonly clock: ScopedClock;
  readonly place: number;
  readonly runtime: Runtime;
  readonly chat: ChatScheduler;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  /** Processes and timers of the tree itself, without its partitions. */
  readonly #processesOwn: number;
  readonly #timersOwn: number;
  #injected = 0;

  constructor(parts: ServerParts) {
    const { clock, seed, swarm, trace } = parts;
    this.clock = clock;
    this.place = parts.place;
    this.#random = new SeededRandom(seed);
    this.#trace = trace;
    this.runtime = new Runtime({
      clock,
      random: this.#random,
      scheduler: parts.number,
      router: parts.router,
      sliceMessages: swarm.sliceMessages,
      events: (event) => {
        if (event.type === 'crash') {
          const reason = formatReason(event.reason);
          trace.note('crash', event.mailboxLength, 0, () => `${event.label}: ${reason}`);
          if (!reason.includes(INJECTED)) parts.onCrash(event.label, reason);
        } else if (event.type === 'hook_failed') {
          parts.onCrash(
            'hook',
            event.error instanceof Error ? String(event.error.stack) : String(event.error),
          );
        }
      },
    });
    this.chat = new ChatScheduler({
      name: 'simulation',
      version: '0',
      runtime: this.runtime,
      clock,
      store: parts.store,
      epoch: parts.epoch,
      place: parts.place,
      incarnation: parts.incarnation,
      limits: swarm.chat,
      registrar: {
        random: this.#random,
        gateway: parts.gateway,
        secret: parts.secret,
        pinDigits: 6,
        pinLifeMs: swarm.store.pinLifeMs,
        limits: roomyRegistrations(clock),
        pendingMax: 1000,
      },
      listen: null,
      onPartition: parts.onPartition,
      onEnd: parts.onEnd,
    });
    this.runtime.flush();
    this.#processesOwn = this.runtime.processCount;
    this.#timersOwn = this.runtime.timers.size;
  }

  crashSession(): boolean {
    const sessions: Pid<SessionMessage>[] = [];
    this.chat.node.sessions.forEach((session) => {
      sessions.push(session);
    });
    const victim = sessions[this.#random.below(Math.max(1, sessions.length))];
    if (victim === undefined) return false;
    this.#crash(victim);
    return true;
  }

  crashPartition(index = this.#random.below(PARTITIONS)): boolean {
    const victim = this.chat.node.ownPartition(index);
    if (victim === undefined) return false;
    this.#trace.note('crash-of', index, 0, () => `partition ${index}`);
    this.#crash(victim);
    return true;
  }

  crashRegistrar(): boolean {
    const victim = this.chat.node.registrar();
    if (victim === undefined) return false;
    this.#crash(victim);
    return true;
  }

  /** What is left behind when nobody is connected; null: nothing. */
  leftovers(): string | null {
    const { runtime, chat } = this;
    const { node } = chat;
    const left: string[] = [];
    const expect = (what: string, is: number, should: number) => {
      if (is !== should) left.push(`${is} ${what} instead of ${should}`);
    };
    expect('processes', runtime.processCount, this.#processesOwn + chat.partitionCount);
    expect('timers', runtime.timers.size, this.#timersOwn);
    expect('requesters', node.sessions.size, 0);
    expect('sessions counted', node.stats.sessions, 0);
    expect('online counted', node.stats.online, 0);
    expect('at home counted', node.stats.atHome, 0);
    const { exported, watches } = runtime.signals.remoteCounts;
    expect('references that other schedulers know', exported, 0);
    expect('monitors of other schedulers', watches, 0);
    expect('dirty corks', node.corks.dirty, 0);
    expect('processes that wait for their turn', runtime.runQueueLength, 0);
    expect('messages in mailboxes', chat.mailboxes().waiting, 0);
    for (let index = 0; index < PARTITIONS; index++) {
      const pid = node.ownPartition(index);
      if (pid === undefined) continue;
      const info = runtime.info(pid as Pid);
      if (info === null) left.push(`no partition ${index}`);
      else expect(`monitors of partition ${index}`, info.monitoring.length, 0);
    }
    return left.length === 0 ? null : left.join(', ');
  }

  #crash(victim: Pid<SessionMessage> | Pid<PartitionMessage> | Pid<RegistrarMessage>): void {
    const { runtime } = this;
    const error = () => new Error(`${INJECTED} ${++this.#injected}`);
    switch (this.#random.below(3)) {
      case 0:
        runtime.exit(victim as Pid, ExitReason.kill);
        break;
      case 1:
        runtime.exit(victim as Pid, { type: 'error', error: error() });
        break;
      default: {
        // In the middle of its own work: whatever handles this message throws.
        const poison = {
          get type(): never {
            throw error();
          },
        };
        runtime.send(victim as Pid<unknown>, poison);
        break;
      }
    }
  }
}
