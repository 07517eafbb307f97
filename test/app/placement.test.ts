import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type PartitionAddress, Placement } from '../../src/app/placement.js';

const COUNT = 16;

/** The schedulers and the store as the placement has them do: orders travel, are carried out, and are answered. */
class Crew {
  readonly placement: Placement;
  /** What each scheduler that is up runs, and with which pid; and where it believes each partition is. */
  readonly running = new Map<number, Map<number, number>>();
  readonly believed = new Map<number, Map<number, PartitionAddress>>();
  readonly routes = new Array<number>(COUNT).fill(0);
  readonly moves: { partitions: readonly number[]; from: number; to: number }[] = [];
  /** Most that ran a partition at a time, and starts before the store knew. */
  readonly wrongs: string[] = [];
  /** Orders and answers on their way, in order for each pair. */
  readonly wires = new Map<string, (() => void)[]>();
  #ids = 0;
  #incarnations = new Map<number, number>();
  #writer = 1;

  constructor() {
    this.placement = new Placement(COUNT, {
      stop: (place, partitions) =>
        this.#to(place, () => {
          for (const index of partitions) this.running.get(place)!.delete(index);
          this.#from(place, () => this.placement.stopped(place, partitions));
        }),
      route: (transfer, place, partitions) => {
        const writer = this.#writer;
        this.#post('main>writer', () => {
          if (writer !== this.#writer) return;
          for (const index of partitions) this.routes[index] = place;
          this.#post('writer>main', () => {
            if (writer === this.#writer) this.placement.routed(transfer);
          });
        });
      },
      start: (place, partitions) =>
        this.#to(place, () => {
          for (const index of partitions) this.start(place, index);
        }),
      announce: (to, partition, _place, address) => {
        for (const place of to) this.#to(place, () => this.believed.get(place)!.set(partition, address));
      },
      moved: (partitions, from, to) => this.moves.push({ partitions, from, to }),
    });
  }

  up(place: number, balance = true): void {
    if (this.running.has(place)) return;
    this.#incarnations.set(place, (this.#incarnations.get(place) ?? 0) + 1);
    this.running.set(place, new Map());
    this.believed.set(place, new Map());
    this.placement.schedulerUp(place, balance);
  }

  down(place: number): void {
    if (!this.running.delete(place)) return;
    this.believed.delete(place);
    this.wires.delete(`main>${place}`);
    this.wires.delete(`${place}>main`);
    this.placement.schedulerDown(place);
  }

  writerRestarts(): void {
    this.#writer++;
    this.placement.writerRestarted();
  }

  start(place: number, index: number): void {
    for (const [other, running] of this.running) {
      if (other !== place && running.has(index))
        this.wrongs.push(`${index} runs on ${other} and on ${place}`);
    }
    if (this.routes[index] !== place)
      this.wrongs.push(`${index} starts on ${place}, routed to ${this.routes[index]}`);
    const id = ++this.#ids;
    this.running.get(place)!.set(index, id);
    const scheduler = this.#incarnations.get(place)! * 256 + place;
    this.#from(place, () => this.placement.started(place, index, { scheduler, id }));
  }

  /** One step of one wire. */
  step(pick: number): boolean {
    const busy = [...this.wires].filter(([, wire]) => wire.length > 0);
    if (busy.length === 0) return false;
    busy[pick % busy.length]![1].shift()!();
    return true;
  }

  settle(): void {
    while (this.step(0));
  }

  /** Numbers of partitions that run, by place. */
  counts(): number[] {
    return [...this.running].sort(([a], [b]) => a - b).map(([, running]) => running.size);
  }

  #to(place: number, order: () => void): void {
    this.#post(`main>${place}`, order);
  }

  #from(place: number, answer: () => void): void {
    this.#post(`${place}>main`, answer);
  }

  #post(wire: string, step: () => void): void {
    const steps = this.wires.get(wire);
    if (steps === undefined) this.wires.set(wire, [step]);
    else steps.push(step);
  }
}

/** At rest: every partition runs once, where the store sends its events, and everybody knows where. */
function assertRest(crew: Crew): void {
  assert.deepEqual(crew.wrongs, []);
  assert.ok(crew.placement.isSettled);
  for (let index = 0; index < COUNT; index++) {
    const places = [...crew.running].filter(([, running]) => running.has(index)).map(([place]) => place);
    assert.deepEqual(places, [crew.placement.ownerOf(index)], `partition ${index}`);
    assert.equal(crew.routes[index], places[0]);
    const id = crew.running.get(places[0]!)!.get(index);
    for (const [place, believed] of crew.believed) {
      assert.equal(believed.get(index)?.id, id, `what ${place} believes of ${index}`);
    }
  }
}

function crewOf(schedulers: number): Crew {
  const crew = new Crew();
  for (let place = 1; place <= schedulers; place++) crew.up(place);
  crew.placement.begin();
  crew.settle();
  return crew;
}

describe('placement', () => {
  test('spreads the partitions evenly at the beginning', () => {
    const crew = crewOf(3);
    assertRest(crew);
    assert.deepEqual(crew.counts(), [6, 5, 5]);
    assert.deepEqual(crew.placement.owners().slice(0, 4), [1, 2, 3, 1]);
  });

  test('those of a lost scheduler go to the others at once, and come back evenly behind the next one', () => {
    const crew = crewOf(3);
    crew.down(2);
    crew.settle();
    assertRest(crew);
    assert.deepEqual(crew.counts(), [8, 8]);
    crew.up(2);
    crew.settle();
    assertRest(crew);
    assert.deepEqual(crew.counts().sort(), [5, 5, 6]);
  });

  test('one that comes back may be left alone until it is told to take its share', () => {
    const crew = crewOf(2);
    crew.down(2);
    crew.settle();
    crew.up(2, false);
    crew.settle();
    assert.deepEqual(crew.counts(), [COUNT, 0]);
    crew.placement.balance();
    crew.settle();
    assertRest(crew);
    assert.deepEqual(crew.counts(), [COUNT / 2, COUNT / 2]);
  });

  test('without any scheduler they wait', () => {
    const crew = crewOf(1);
    crew.down(1);
    crew.settle();
    assert.equal(crew.placement.isSettled, false);
    assert.equal(crew.placement.ownerOf(3), 0);
    crew.up(1);
    crew.settle();
    assertRest(crew);
  });

  test('what the operator moves stays where it is', () => {
    const crew = crewOf(2);
    assert.deepEqual(crew.placement.move([0, 1, 2, 2], 2), [0, 2]);
    crew.settle();
    assertRest(crew);
    assert.deepEqual(crew.counts(), [6, 10]);
    assert.deepEqual(crew.moves.at(-1), { partitions: [0, 2], from: 1, to: 2 });
    assert.throws(() => crew.placement.move([1], 3), /there is no scheduler 3/);
    assert.throws(() => crew.placement.move([COUNT], 1), /there is no partition 16/);
  });

  test('a drained scheduler has none', () => {
    const crew = crewOf(2);
    crew.placement.move(
      Array.from({ length: COUNT }, (_, index) => index),
      1,
    );
    crew.settle();
    assertRest(crew);
    assert.deepEqual(crew.counts(), [COUNT, 0]);
  });

  test('a partition that was restarted in its place is announced anew', () => {
    const crew = crewOf(2);
    crew.start(1, 0);
    crew.settle();
    assertRest(crew);
  });

  test('whatever fails while partitions move: none runs twice, none is lost, the end is even', () => {
    const place = fc.integer({ min: 1, max: 4 });
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ kind: fc.constant('step' as const), pick: fc.nat(), times: fc.nat(6) }),
      },
      fc.record({ kind: fc.constant('down' as const), place }),
      fc.record({ kind: fc.constant('up' as const), place }),
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('restart' as const), place, pick: fc.nat() }),
      },
      fc.record({ kind: fc.constant('writer' as const) }),
      fc.record({
        kind: fc.constant('move' as const),
        place,
        partitions: fc.array(fc.nat(COUNT - 1), { minLength: 1, maxLength: 4 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const crew = crewOf(3);
        for (const one of steps) {
          switch (one.kind) {
            case 'step':
              for (let n = 0; n < one.times; n++) crew.step(one.pick + n * 7);
              break;
            case 'down':
              crew.down(one.place);
              break;
            case 'up':
              crew.up(one.place);
              break;
            case 'restart': {
              // A crash of a partition's process: its supervisor starts it again.
              const running = [...(crew.running.get(one.place)?.keys() ?? [])];
              const index = running[one.pick % Math.max(1, running.length)];
              if (index !== undefined && crew.routes[index] === one.place) crew.start(one.place, index);
              break;
            }
            case 'writer':
              crew.writerRestarts();
              break;
            case 'move':
              if (crew.running.has(one.place)) crew.placement.move(one.partitions, one.place);
              break;
          }
          assert.deepEqual(crew.wrongs, []);
        }
        crew.up(1);
        crew.settle();
        assertRest(crew);
        // The next one that comes makes it even.
        crew.down(4);
        crew.settle();
        crew.up(4);
        crew.settle();
        assertRest(crew);
        const counts = crew.counts();
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts));
      }),
      { numRuns: 1000 },
    );
  });
});
