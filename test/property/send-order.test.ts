import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SendOrder } from '../../src/chat/send-order.js';
import { ErrorCode } from '../../src/protocol/index.js';
import { SendHold } from '../../src/storage/send-hold.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

/** How long it takes at most until a refused message is back that is due and has no other before it. */
const AGAIN_MS_MAX = 4000;

type Step =
  | { readonly do: 'send' | 'repeat' | 'tell'; readonly count: number }
  | { readonly do: 'give-up' | 'hear' }
  | { readonly do: 'arrive'; readonly refusedFor: 'nothing' | 'rate' | 'overload'; readonly waitMs: number }
  | { readonly do: 'commit'; readonly count: number; readonly fails: boolean }
  | { readonly do: 'pass'; readonly ms: number };

const count = fc.integer({ min: 1, max: 3 });
const waitMs = fc.constantFrom(1, 1, 1, 1000, 9000);
const refusedFor = fc.constantFrom(
  'nothing' as const,
  'nothing' as const,
  'rate' as const,
  'overload' as const,
);

function of<D extends string, R extends object>(kind: D, rest: { [K in keyof R]: fc.Arbitrary<R[K]> }) {
  return fc.record({ do: fc.constant(kind), ...rest }) as unknown as fc.Arbitrary<{ do: D } & R>;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: of('send', { count }) },
  { weight: 4, arbitrary: of('repeat', { count }) },
  { weight: 1, arbitrary: of('give-up', {}) },
  { weight: 3, arbitrary: of('tell', { count }) },
  { weight: 2, arbitrary: of('hear', {}) },
  { weight: 5, arbitrary: of('arrive', { refusedFor, waitMs }) },
  { weight: 4, arbitrary: of('commit', { count, fails: fc.boolean() }) },
  { weight: 4, arbitrary: of('pass', { ms: fc.constantFrom(1, 1, 1000, 6000) }) },
);

interface Answer {
  readonly id: number;
  /** −1: stored. */
  readonly waitMs: number;
}

interface Command {
  readonly id: number;
  readonly heard: number;
  readonly time: number;
}

/**
 * A client, its session and the writer, with everything on the way between them that can be there: frames, commands in
 * the ring, events in the other ring, answers. Each of them takes one thing at a time, in any order of the four.
 */
class History {
  readonly stored: number[] = [];
  readonly clock = new SimulatedClock();
  readonly #order = new SendOrder();
  readonly #hold = new SendHold();
  readonly #frames: number[] = [];
  readonly #commands: Command[] = [];
  readonly #events: Answer[][] = [];
  readonly #answers: Answer[] = [];
  /** Refused and not sent again: when each is due. */
  readonly #due = new Map<number, number>();
  readonly givenUp = new Set<number>();
  /** Refused by the session, and not back: when each is due. */
  readonly #expected = new Map<number, number>();
  /** When one of those came last. */
  #cameAt = 0;
  #nextId = 1;

  run(step: Step): void {
    switch (step.do) {
      case 'send':
        // Whoever knows of a refusal repeats it first.
        for (let n = 0; n < step.count && this.#due.size === 0; n++) this.#frames.push(this.#nextId++);
        return;
      case 'repeat':
        for (let n = 0; n < step.count; n++) this.#repeat();
        return;
      case 'give-up': {
        const id = this.#lowestDue();
        if (id === undefined) return;
        this.#due.delete(id);
        this.givenUp.add(id);
        return;
      }
      case 'arrive':
        this.#arrive(step.refusedFor, step.waitMs);
        return;
      case 'commit':
        this.#commit(step.count, step.fails);
        return;
      case 'hear':
        this.#hear();
        return;
      case 'tell':
        for (let n = 0; n < step.count; n++) this.#tell();
        return;
      case 'pass':
        this.#pass(step.ms);
        return;
    }
  }

  /** Everything that is on the way arrives, nothing is refused any more, and all is sent again. */
  finish(): void {
    for (let round = 0; round < 1000; round++) {
      while (this.#frames.length > 0) this.#arrive('nothing', 0);
      while (this.#commands.length > 0) this.#commit(100, false);
      while (this.#events.length > 0) this.#hear();
      while (this.#answers.length > 0) this.#tell();
      if (this.#due.size === 0) return;
      this.clock.advance(100);
      while (this.#due.size > 0) {
        const due = Math.max(0, ...this.#due.values());
        this.clock.advance(Math.max(0, Math.min(due - this.clock.now(), AGAIN_MS_MAX)));
        if (!this.#repeat()) this.clock.advance(1);
      }
    }
    assert.fail('it never ends');
  }

  get sent(): number {
    return this.#nextId - 1;
  }

  #lowestDue(): number | undefined {
    return this.#due.size === 0 ? undefined : Math.min(...this.#due.keys());
  }

  #repeat(): boolean {
    const id = this.#lowestDue();
    if (id === undefined || this.#due.get(id)! > this.clock.now()) return false;
    this.#due.delete(id);
    this.#frames.push(id);
    return true;
  }

  /** At the session: what sending.ts does. */
  #arrive(refusedFor: 'nothing' | 'rate' | 'overload', waitMs: number): void {
    const id = this.#frames.shift();
    if (id === undefined) return;
    if (this.#expected.delete(id)) this.#cameAt = this.clock.now();
    if (refusedFor === 'rate') {
      this.#refuse(id, ErrorCode.rateLimited, waitMs);
      return;
    }
    const heldMs = this.#order.heldMs(id, this.clock);
    if (heldMs > 0) this.#refused(id, heldMs);
    else if (refusedFor === 'overload') this.#refuse(id, ErrorCode.overloaded, 1000);
    else this.#commands.push({ id, heard: this.#order.heard, time: this.clock.now() });
  }

  #refuse(id: number, code: ErrorCode, waitMs: number): void {
    this.#order.refuse(id, code, this.clock.now(), waitMs);
    this.#refused(id, waitMs);
  }

  #refused(id: number, waitMs: number): void {
    this.#expected.set(id, this.clock.now() + waitMs);
    this.#answers.push({ id, waitMs });
  }

  /** At the writer: what the stores and their command batch do. */
  #commit(count: number, fails: boolean): void {
    const batch = this.#commands.splice(0, count);
    if (batch.length === 0) return;
    const events: Answer[] = [];
    const tried: Command[] = [];
    for (const command of batch) {
      const { id, heard, time } = command;
      if (this.#hold.holds(1, id, heard, time)) {
        events.push({ id, waitMs: 1000 });
        continue;
      }
      tried.push(command);
      if (!fails && !this.stored.includes(id)) this.stored.push(id);
      events.push({ id, waitMs: fails ? 1000 : -1 });
    }
    const { time } = batch[batch.length - 1]!;
    if (fails) for (const { id, heard } of tried) this.#hold.failed(1, id, heard, time);
    this.#events.push(events);
  }

  /** At the session: answers of the store. */
  #hear(): void {
    for (const answer of this.#events.shift() ?? []) {
      const { id, waitMs } = answer;
      if (waitMs < 0) {
        this.#order.settled(id, this.clock);
        this.#answers.push(answer);
        continue;
      }
      this.#order.heard++;
      this.#refuse(id, ErrorCode.storeUnavailable, waitMs);
    }
  }

  /** At the client. */
  #tell(): void {
    const answer = this.#answers.shift();
    if (answer === undefined) return;
    if (answer.waitMs < 0) this.#due.delete(answer.id);
    else if (!this.givenUp.has(answer.id) && !this.stored.includes(answer.id)) {
      this.#due.set(answer.id, this.clock.now() + answer.waitMs);
    }
  }

  /** No longer than the frames and the client may take for one that is to come again. */
  #pass(ms: number): void {
    const expected = [...this.#expected.keys()].filter((id) => !this.givenUp.has(id));
    const now = this.clock.now();
    let until = now + ms;
    if (expected.length > 0) {
      until = Math.max(this.#expected.get(Math.min(...expected))!, this.#cameAt) + AGAIN_MS_MAX;
    }
    this.clock.advance(Math.max(0, Math.min(ms, until - now)));
  }
}

test('what a client sends again until it is taken is stored in the order of its ids', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const history = new History();
      for (const one of steps) history.run(one);
      history.finish();
      const repeated = history.stored.filter((id) => !history.givenUp.has(id));
      assert.deepEqual(
        repeated,
        repeated.toSorted((a, b) => a - b),
      );
      for (let id = 1; id <= history.sent; id++) {
        assert.ok(history.givenUp.has(id) || history.stored.includes(id), `${id} was never stored`);
      }
    }),
    { numRuns: 1000 },
  );
});
