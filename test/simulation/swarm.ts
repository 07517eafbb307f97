import type { ChatLimits } from '../../src/chat/chat-limits.js';
import type { StoreLimits } from '../../src/storage/stores.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import { tokenRate } from '../../src/structures/token-bucket.js';
import type { NetworkProfile } from './simulated-network.js';
import type { WriterProfile } from './simulated-writer.js';

/** What can go wrong; each has a mean time between two, in ms, where it is switched on. */
export const FAULTS = [
  'sessionCrash',
  'partitionCrash',
  'registrarCrash',
  'processCrash',
  'machineCrash',
  'schedulerCrash',
  'partitionsMove',
  'busyRing',
  'slowRings',
  'writerCrash',
  'restart',
  'restore',
  'cut',
  'diskFull',
  'diskErrors',
  'wallJump',
  'stall',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What people do beside sending, and how often of all that they do. */
export const HABITS = [
  'read',
  'stopReading',
  'readSlowly',
  'leave',
  'crash',
  'connectAgain',
  'loseCursor',
  'replace',
  'block',
  'unknownNumber',
  'flood',
  'presence',
  'typing',
  'activity',
  'ask',
  'badSend',
] as const;
export type Habit = (typeof HABITS)[number];

/** All that one history is made with, drawn from its seed. */
export interface Swarm {
  readonly people: number;
  /** How long things go wrong, in ms. */
  readonly troubleMs: number;
  /** Mean time between two things that one person does. */
  readonly actMs: number;
  /** Messages in one go. */
  readonly burstMax: number;
  readonly bodyBytesMax: number;
  /** Of the devices, so many run the client library; the others are model clients. */
  readonly library: number;
  readonly noteDelayMs: number;
  readonly ackDelayMs: number;
  /** Mean time between two vandals. */
  readonly vandalMs: number;
  readonly faults: ReadonlyMap<Fault, number>;
  readonly habits: ReadonlyMap<Habit, number>;
  readonly network: NetworkProfile;
  readonly writer: WriterProfile;
  readonly chat: ChatLimits;
  readonly store: StoreLimits;
  readonly sliceMessages: number;
  /** Scheduler threads. */
  readonly schedulers: number;
  /** How long a message between the main thread and another takes at most. */
  readonly portMsMax: number;
}

/**
 * Draws what a history is made with. Each seed switches on only some of the faults (Groce et al., "Swarm testing",
 * 2012): with all of them at once they hide one another.
 */
export function drawSwarm(random: SeededRandom): Swarm {
  const between = (low: number, high: number) => low + random.next() * (high - low);
  const oneOf = <T>(...values: readonly T[]) => values[random.below(values.length)] as T;
  const chance = (probability: number) => random.next() < probability;

  const troubleMs = between(2_000, 25_000);
  const faults = new Map<Fault, number>();
  const isCalm = chance(0.1);
  for (const fault of FAULTS) {
    const isRare =
      fault === 'restore' || fault === 'wallJump' || fault === 'machineCrash' || fault === 'restart';
    if (!isCalm && chance(isRare ? 0.25 : 0.3)) faults.set(fault, between(0.15, 1.2) * troubleMs);
  }
  const habits = new Map<Habit, number>();
  for (const habit of HABITS) if (chance(0.45)) habits.set(habit, between(0.2, 1));

  const bodyBytesMax = oneOf(16, 64, 300, 1500);
  const deliverWindowBytes = oneOf(200, 1000, 8 * 1024, 64 * 1024);
  const fast = chance(0.3);
  const latencyMsMin = between(0, 5);
  const faultyStore = between(0, 1);
  return {
    people: 2 + random.below(5),
    troubleMs,
    actMs: between(100, 1500),
    burstMax: oneOf(1, 3, 10, 40),
    bodyBytesMax,
    library: oneOf(0, 0.5, 1),
    noteDelayMs: oneOf(0, 0, 20, 300),
    ackDelayMs: oneOf(0, 0, 50, 1000),
    vandalMs: chance(0.2) ? between(100, 1000) : Number.POSITIVE_INFINITY,
    faults,
    habits,
    network: {
      latencyMsMin,
      latencyMsMax: latencyMsMin + oneOf(1, 20, 200),
      tickMs: oneOf(0.25, 1, 10),
      networkBytes: oneOf(0, 500, 16 * 1024, 256 * 1024),
      backpressureBytesMax: oneOf(48, 512) * 1024,
      idleTimeoutMs: 120_000,
    },
    writer: {
      ringMsMax: oneOf(0, 0.1, 5),
      commitMsMin: fast ? 0.1 : between(0.1, 5),
      commitMsMax: fast ? 0.2 : between(5, 60),
      commandsMax: faultyStore < 0.1 ? 4 : oneOf(64, 4096),
      partial: oneOf(0, 0, 0.3),
    },
    chat: {
      heartbeatMs: 30_000,
      authDeadlineMs: 10_000,
      registrationDeadlineMs: 120_000,
      deliverWindowBytes,
      bufferedBytesHigh: deliverWindowBytes,
      ackTimeoutMs: oneOf(5_000, 30_000),
      bodyBytesMax,
      batchBytesMax: oneOf(4, 16) * 1024,
      batchCountMax: oneOf(3, 50, 4096),
      anonymousBytesMax: 4096,
      opsRate: chance(0.2) ? tokenRate(100, 300) : tokenRate(1000, 5000),
      bytesRate: tokenRate(1_000_000, 4_000_000),
      waitingBytesMax: 4 * 1024 * 1024,
      refusedSurplusMax: oneOf(50, 1000),
      watchesMax: oneOf(2, 512),
      requestsMax: oneOf(2, 16),
      ephemeralsMax: oneOf(2, 64),
      attachesMax: oneOf(3, 4096),
      homeJitterMs: oneOf(0, 3000),
    },
    store: {
      inboxCountMax: oneOf(60, 1000),
      inboxBytesMax: oneOf(100, 1000) * 1024,
      inboxAgeMsMax: oneOf(20_000, 30 * 24 * 3600_000),
      pinTriesMax: 5,
      pinLifeMs: 60_000,
      pinResendMs: 200,
      pinsPerDayMax: 100_000,
      blockedMax: 100,
    },
    sliceMessages: oneOf(1, 3, 64),
    schedulers: oneOf(1, 2, 2, 3),
    portMsMax: oneOf(0.1, 3, 30),
  };
}
