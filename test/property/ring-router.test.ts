/** Random histories of three schedulers over rings, checked against what every process must have seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExitReason, type Pid } from '../../src/actors/index.js';
import type { Puppet } from '../actors/world.js';
import { RingWorlds } from '../schedulers/ring-pair.js';
import { Parcel, testCodecs } from '../schedulers/test-codecs.js';

const WORLDS = 3;
const PUPPETS = 3;

type Step =
  | {
      readonly do: 'send';
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly size: number;
    }
  | { readonly do: 'link' | 'unlink' | 'monitor'; readonly from: number; readonly to: number }
  | { readonly do: 'exit'; readonly from: number; readonly to: number }
  | { readonly do: 'look'; readonly world: number }
  | { readonly do: 'turn'; readonly world: number };

const process = fc.nat(WORLDS * PUPPETS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      from: process,
      to: process,
      count: fc.integer({ min: 1, max: 40 }),
      size: fc.oneof(fc.nat(200), fc.nat(20_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('link' as const, 'unlink' as const, 'monitor' as const),
      from: process,
      to: process,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), from: process, to: process }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const), world: fc.nat(WORLDS - 1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn' as const), world: fc.nat(WORLDS - 1) }) },
);

/** A message, told apart by its sender and number; one of several forms. */
function message(from: number, number: number, size: number): unknown {
  switch (number % 4) {
    case 0:
      return new Parcel(number, from, `from ${from}`, new Uint8Array(size));
    case 1:
      return { from, number, body: new Uint8Array(size) };
    case 2:
      return [from, number, 'x'.repeat(size)];
    default:
      return `${from} ${number} ${'ä'.repeat(size)}`;
  }
}

function read(received: unknown): readonly [from: number, number: number] | null {
  if (received instanceof Parcel) return [received.weight, received.number];
  if (typeof received === 'string') return received.split(' ').slice(0, 2).map(Number) as [number, number];
  if (Array.isArray(received)) return typeof received[0] === 'number' ? (received as [number, number]) : null;
  const { from, number } = received as { from: number; number: number };
  return [from, number];
}

test('whatever is sent arrives, in order, until its end is told; each monitor fires once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const rings = new RingWorlds(WORLDS, { codecs: testCodecs, publishBytes: 4096 });
      const puppets: Puppet[] = [];
      for (const world of rings.worlds)
        for (let n = 0; n < PUPPETS; n++) puppets.push(world.puppet({ trapExit: true }));
      const sent = puppets.map(() => new Int32Array(puppets.length));
      const monitors = puppets.map(() => new Int32Array(puppets.length));
      const ended = new Set<number>();
      const seen = (by: number, of: number): Pid<unknown> => {
        const { scheduler, id } = puppets[of]!.pid;
        return puppets[by]!.self.runtime.pid(scheduler, id);
      };
      for (const one of steps) {
        if (one.do === 'look') {
          rings.routers[one.world]!.look();
          continue;
        }
        if (one.do === 'turn') {
          rings.worlds[one.world]!.runtime.flush();
          continue;
        }
        if (ended.has(one.from)) continue;
        const { self } = puppets[one.from]!;
        switch (one.do) {
          case 'send':
            for (let n = 0; n < one.count; n++) {
              self.send(
                seen(one.from, one.to),
                message(one.from, sent[one.from]![one.to]!++, n === 0 ? one.size : one.size % 100),
              );
            }
            break;
          case 'link':
            if (one.from !== one.to) self.link(seen(one.from, one.to));
            break;
          case 'unlink':
            self.unlink(seen(one.from, one.to));
            break;
          case 'monitor':
            monitors[one.from]![one.to]!++;
            self.monitor(seen(one.from, one.to));
            break;
          case 'exit':
            // By itself, so that it is known when: before everything that it does afterwards.
            ended.add(one.from);
            self.exit(ExitReason.custom(one.from));
            break;
        }
      }
      rings.settle();
      for (const [to, puppet] of puppets.entries()) {
        const next = new Int32Array(puppets.length);
        const downs = new Int32Array(puppets.length);
        for (const received of puppet.inbox) {
          const told =
            Array.isArray(received) && (received[0] === 'EXIT' || received[0] === 'DOWN') ? received : null;
          if (told !== null) {
            const { scheduler, id } = told[1] as Pid;
            const of = puppets.findIndex(({ pid }) => pid.id === id && pid.scheduler === scheduler);
            assert.ok(of >= 0);
            if (told[0] === 'DOWN') downs[of]!++;
            continue;
          }
          const [from, number] = read(received)!;
          assert.equal(number, next[from]!++, `from ${from} to ${to}`);
        }
        if (ended.has(to)) continue;
        for (const from of puppets.keys()) {
          assert.equal(next[from], sent[from]![to], `${from} to ${to}: some are missing`);
          assert.equal(downs[from], ended.has(from) ? monitors[to]![from] : 0, `${to} monitors ${from}`);
        }
      }
      for (const { stats } of rings.pool.routerReports()) assert.equal(stats.undecodable, 0);
      rings.close();
    }),
    { numRuns: 150 },
  );
});
