/**
 * Random processes with random links, monitors, signals and crashes, beside a model that knows only the rules:
 * nobody lives who should have died, nobody died who should live, reasons are those of the first signal, and every
 * monitor fires exactly once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DownMessage, ExitReason, type Ref } from '../../src/actors/index.js';
import { type Puppet, reasonOf, World } from '../actors/world.js';

interface Modelled {
  alive: boolean;
  reason: string | null;
  traps: boolean;
  readonly links: Set<number>;
  /** EXIT messages, in the order in which they must come from each sender. */
  readonly exits: [number, string][];
}

class Model {
  readonly processes: Modelled[] = [];

  spawn(traps: boolean, linkedWith: number | null): number {
    const at = this.processes.length;
    this.processes.push({ alive: true, reason: null, traps, links: new Set(), exits: [] });
    if (linkedWith !== null) this.link(at, linkedWith);
    return at;
  }

  link(a: number, b: number): void {
    const [from, to] = [this.processes[a]!, this.processes[b]!];
    if (a === b || !from.alive) return;
    if (!to.alive) {
      if (from.traps) from.exits.push([b, 'noproc']);
      else this.die(a, 'noproc');
      return;
    }
    from.links.add(b);
    to.links.add(a);
  }

  unlink(a: number, b: number): void {
    if (!this.processes[a]!.alive) return;
    this.processes[a]!.links.delete(b);
    this.processes[b]!.links.delete(a);
  }

  signal(from: number, to: number, reason: string): void {
    const [sender, target] = [this.processes[from]!, this.processes[to]!];
    if (!sender.alive || !target.alive) return;
    if (reason === 'kill') this.die(to, 'killed');
    else if (target.traps) target.exits.push([from, reason]);
    else if (reason !== 'normal' || from === to) this.die(to, reason);
  }

  die(at: number, reason: string): void {
    const queue: [number, string][] = [[at, reason]];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [dying, why] = next;
      const process = this.processes[dying]!;
      if (!process.alive) continue;
      process.alive = false;
      process.reason = why;
      for (const other of process.links) {
        const linked = this.processes[other]!;
        linked.links.delete(dying);
        if (!linked.alive) continue;
        if (linked.traps) linked.exits.push([dying, why]);
        else if (why !== 'normal') queue.push([other, why]);
      }
      process.links.clear();
    }
  }
}

const index = fc.nat({ max: 30 });
const reason = fc.constantFrom('normal', 'shutdown', 'kill', 'boom', 'bang');
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('spawn' as const),
      a: index,
      traps: fc.boolean(),
      linked: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('link' as const), a: index, b: index }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('unlink' as const), a: index, b: index }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('monitor' as const), a: index, b: index }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('demonitor' as const), a: index, flush: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('trap' as const), a: index, traps: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('signal' as const), a: index, b: index, reason }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('exit' as const), a: index, reason }) },
);

const toReason = (name: string): ExitReason =>
  name === 'normal' || name === 'shutdown' || name === 'kill' ? ExitReason[name] : ExitReason.custom(name);

test('who lives, who died of what, who heard of it', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 80 }),
      fc.integer({ min: 1, max: 5 }),
      (operations, settleEvery) => {
        const world = new World();
        const model = new Model();
        const puppets: Puppet[] = [];
        /** Monitors that must have fired exactly once at the end, or never. */
        const monitors: { ref: Ref; by: number; of: number; ended: boolean; wasDead: boolean }[] = [];
        const pick = (at: number) => at % puppets.length;
        const spawn = (traps: boolean, linkedWith: number | null) => {
          model.spawn(traps, linkedWith);
          const link = linkedWith === null ? {} : { link: puppets[linkedWith]!.pid };
          puppets.push(world.puppet({ trapExit: traps, ...link }));
        };
        spawn(false, null);
        operations.forEach((operation, step) => {
          const a = pick(operation.a);
          const self = puppets[a]!.self;
          const alive = model.processes[a]!.alive;
          assert.equal(self.alive, alive);
          switch (operation.op) {
            case 'spawn':
              spawn(operation.traps, operation.linked && alive ? a : null);
              break;
            case 'link': {
              const b = pick(operation.b);
              model.link(a, b);
              puppets[a]!.run((process) => process.link(puppets[b]!.pid));
              break;
            }
            case 'unlink':
              model.unlink(a, pick(operation.b));
              self.unlink(puppets[pick(operation.b)]!.pid);
              break;
            case 'monitor': {
              if (!alive) break;
              const b = pick(operation.b);
              const ref = self.monitor(puppets[b]!.pid);
              if (a === b) {
                // Nobody monitors itself.
                assert.equal(ref.isMonitor, false);
                break;
              }
              monitors.push({ ref, by: a, of: b, ended: false, wasDead: !model.processes[b]!.alive });
              break;
            }
            case 'demonitor': {
              const monitor = monitors.find((one) => one.by === a && !one.ended);
              if (monitor === undefined || !alive) break;
              const was = self.demonitor(monitor.ref, operation.flush);
              assert.equal(was, model.processes[monitor.of]!.alive);
              const waits =
                !was && !puppets[a]!.raw.some((message) => (message as DownMessage).ref === monitor.ref);
              if (was || (waits && operation.flush)) monitor.ended = true;
              break;
            }
            case 'trap':
              if (!alive) break;
              model.processes[a]!.traps = operation.traps;
              self.trapExit = operation.traps;
              break;
            case 'signal': {
              const b = pick(operation.b);
              model.signal(a, b, operation.reason);
              puppets[a]!.run(() => world.runtime.exit(puppets[b]!.pid, toReason(operation.reason)));
              break;
            }
            case 'exit':
              if (alive) model.die(a, operation.reason);
              self.exit(toReason(operation.reason));
              break;
          }
          if (step % settleEvery === 0) world.runtime.flush();
          for (const [at, puppet] of puppets.entries())
            assert.equal(puppet.self.alive, model.processes[at]!.alive);
        });
        world.runtime.flush();
        puppets.forEach((puppet, at) => {
          const expected = model.processes[at]!;
          assert.equal(reasonOf(world.runtime.exitReasonOf(puppet.pid)), expected.reason);
          if (!expected.alive) return;
          const exits = puppet.inbox.filter((message) => (message as unknown[])[0] === 'EXIT') as [
            string,
            unknown,
            string,
          ][];
          for (const other of new Set(expected.exits.map(([from]) => from))) {
            assert.deepEqual(
              exits.filter(([, from]) => from === puppets[other]!.pid).map(([, , why]) => why),
              expected.exits.filter(([from]) => from === other).map(([, why]) => why),
            );
          }
          assert.equal(exits.length, expected.exits.length);
          const links = world.runtime
            .info(puppet.pid)!
            .links.map((pid) => puppets.findIndex((one) => one.pid === pid));
          assert.deepEqual(new Set(links), expected.links);
          assert.equal(links.length, expected.links.size);
        });
        for (const { ref, by, of, ended, wasDead } of monitors) {
          if (!model.processes[by]!.alive) continue;
          const downs = puppets[by]!.raw.filter(
            (message) => (message as DownMessage).ref === ref,
          ) as DownMessage[];
          const expected = !ended && !model.processes[of]!.alive ? 1 : 0;
          assert.equal(downs.length, expected);
          if (downs.length === 1)
            assert.equal(reasonOf(downs[0]!.reason), wasDead ? 'noproc' : model.processes[of]!.reason);
        }
        assert.equal(world.runtime.processCount, model.processes.filter((process) => process.alive).length);
      },
    ),
    { numRuns: 300 },
  );
});
