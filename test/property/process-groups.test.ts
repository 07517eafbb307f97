/** Whatever joins, leaves and ends, on whatever scheduler, and in whatever order the wires are served: all agree in the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Blocking, ExitReason } from '../../src/actors/index.js';
import { ProcessGroups } from '../../src/registry/index.js';
import { NodeOfWorlds } from '../actors/node-of-worlds.js';
import type { Puppet } from '../actors/world.js';

const SCHEDULERS = 3;
const PUPPETS = 3;

const step = fc.record({
  op: fc.oneof(
    { weight: 6, arbitrary: fc.constant('join' as const) },
    { weight: 3, arbitrary: fc.constant('leave' as const) },
    { weight: 1, arbitrary: fc.constant('kill' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 6, arbitrary: fc.constant('deliver' as const) },
  ),
  at: fc.nat(SCHEDULERS - 1),
  who: fc.nat(PUPPETS - 1),
  group: fc.constantFrom('g', 'h'),
  wire: fc.nat(1000),
});

test('the scopes of all schedulers agree once everything has arrived', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.infiniteStream(fc.nat(1000)), (steps, chances) => {
      const node = new NodeOfWorlds(SCHEDULERS);
      const groups = new ProcessGroups('sc');
      const puppets: Puppet[][] = node.worlds.map((world) =>
        Array.from({ length: PUPPETS }, () => world.puppet()),
      );
      for (const { runtime } of node.worlds) groups.start(runtime);
      /** What the members of each scheduler are, as its own scope must have them. */
      const model: string[][] = node.worlds.map(() => []);
      const perform = (puppet: Puppet, what: Blocking<unknown>) => puppet.run((self) => self.block(what));
      for (const { op, at, who, group, wire } of steps) {
        const { runtime } = node.worlds[at]!;
        const puppet = puppets[at]![who]!;
        const entry = `${group} ${puppet.pid}`;
        const mine = model[at]!;
        if (op === 'deliver') {
          node.deliver((wires) => wire % wires);
        } else if (op === 'join') {
          perform(puppet, groups.join(group, puppet.pid));
          mine.push(entry);
        } else if (op === 'leave') {
          perform(puppet, groups.leave(group, puppet.pid));
          if (mine.includes(entry)) mine.splice(mine.indexOf(entry), 1);
        } else if (op === 'kill') {
          runtime.exit(puppet.pid, ExitReason.kill);
          runtime.flush();
          model[at] = mine.filter((one) => !one.endsWith(` ${puppet.pid}`));
          puppets[at]![who] = node.worlds[at]!.puppet();
        } else {
          runtime.exit(runtime.whereis('sc')!, ExitReason.kill);
          groups.start(runtime);
          model[at] = [];
        }
      }
      const chance = chances[Symbol.iterator]();
      node.settle((wires) => (chance.next().value as number) % wires);
      const wanted = model.flat().sort();
      for (const { runtime } of node.worlds) {
        const seen = groups
          .whichGroups(runtime)
          .flatMap((group) => groups.getMembers(runtime, group).map((pid) => `${group} ${pid}`));
        assert.deepEqual(seen.sort(), wanted);
      }
    }),
    { numRuns: 200 },
  );
});
