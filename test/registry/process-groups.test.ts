import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BadArgument, type Blocking, ExitReason, type Pid, sys } from '../../src/actors/index.js';
import { GroupMessage, ProcessGroups } from '../../src/registry/index.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { NodeOfWorlds } from '../actors/node-of-worlds.js';
import { type Puppet, reasonOf, World } from '../actors/world.js';

type AnyPid = Pid<unknown>;

/** Has a puppet run something that waits, and returns what came of it. */
function ask<T>(puppet: Puppet, what: Blocking<T>): T {
  let outcome: { readonly value: T } | undefined;
  puppet.run((self) =>
    self.block(what, (value) => {
      outcome = { value };
    }),
  );
  assert.ok(outcome !== undefined, 'it is still waiting');
  return outcome.value;
}

function news(puppet: Puppet): unknown[] {
  return puppet.raw
    .splice(0)
    .map((message) =>
      message instanceof GroupMessage ? [message.ref, message.type, message.group, message.pids] : message,
    );
}

function setUp() {
  const world = new World();
  const groups = new ProcessGroups('sc');
  const { ok: scope } = groups.start(world.runtime);
  assert.ok(scope !== undefined);
  const [main, a, b, w] = [world.puppet(), world.puppet(), world.puppet(), world.puppet()];
  const members = (group: string): readonly AnyPid[] => groups.getMembers(world.runtime, group);
  return { world, groups, scope, main, a, b, w, members };
}

describe('groups on one scheduler', () => {
  test('members come and go, each as often as it joined; empty groups vanish', () => {
    const { world, groups, main, a, b, members } = setUp();
    ask(main, groups.join('g', [a.pid, b.pid, a.pid]));
    assert.deepEqual(members('g'), [a.pid, b.pid, a.pid]);
    ask(main, groups.join('g', main.pid));
    assert.deepEqual(members('g'), [main.pid, a.pid, b.pid, a.pid]);
    assert.equal(ask(main, groups.leave('g', a.pid)), 'ok');
    assert.deepEqual(members('g'), [main.pid, b.pid, a.pid]);
    assert.equal(ask(main, groups.leave('g', [a.pid, main.pid])), 'ok');
    assert.equal(ask(main, groups.leave('g', a.pid)), 'not_joined');
    assert.equal(ask(main, groups.leave('nothing', a.pid)), 'not_joined');
    assert.deepEqual(groups.whichGroups(world.runtime), ['g']);
    assert.deepEqual(groups.getLocalMembers(world.runtime, 'g'), [b.pid]);
    ask(main, groups.leave('g', b.pid));
    assert.deepEqual(groups.whichGroups(world.runtime), []);
    assert.deepEqual(groups.whichLocalGroups(world.runtime), []);
    assert.deepEqual(members('g'), []);
  });

  test('a process leaves all groups when it ends, and one that has ended already leaves at once', () => {
    const { world, groups, main, a, b, members } = setUp();
    const before = members('g');
    ask(main, groups.join('g', [a.pid, b.pid, a.pid]));
    ask(main, groups.join('h', a.pid));
    world.runtime.exit(a.pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(members('g'), [b.pid]);
    assert.deepEqual(groups.whichGroups(world.runtime), ['g']);
    ask(main, groups.join('h', a.pid));
    world.runtime.flush();
    assert.deepEqual(groups.whichGroups(world.runtime), ['g']);
    assert.deepEqual(before, []);
  });

  test('an array of members that was handed out does not change', () => {
    const { groups, main, a, b, members } = setUp();
    ask(main, groups.join('g', a.pid));
    const before = members('g');
    assert.equal(members('g'), before);
    ask(main, groups.join('g', b.pid));
    assert.deepEqual(before, [a.pid]);
    const list = [a.pid];
    ask(main, groups.join('h', list));
    list.push(b.pid);
    assert.deepEqual(members('h'), [a.pid]);
  });

  test('the monitor of a group hears of it alone, that of a scope of all; what waits goes with a demonitor', () => {
    const { world, groups, scope: process, main, a, b, w } = setUp();
    ask(main, groups.join('g', a.pid));
    const { ref, members } = ask(w, groups.monitor('g'));
    assert.deepEqual(members, [a.pid]);
    const scope = ask(main, groups.monitorScope());
    assert.deepEqual([...scope.groups], [['g', [a.pid]]]);
    ask(main, groups.join('g', [b.pid, b.pid]));
    ask(main, groups.join('h', b.pid));
    ask(main, groups.leave('g', b.pid));
    world.runtime.exit(b.pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(news(w), [
      [ref, 'join', 'g', [b.pid, b.pid]],
      [ref, 'leave', 'g', [b.pid]],
      [ref, 'leave', 'g', [b.pid]],
    ]);
    assert.deepEqual(news(main), [
      [scope.ref, 'join', 'g', [b.pid, b.pid]],
      [scope.ref, 'join', 'h', [b.pid]],
      [scope.ref, 'leave', 'g', [b.pid]],
      [scope.ref, 'leave', 'h', [b.pid]],
      [scope.ref, 'leave', 'g', [b.pid]],
    ]);
    // Within one turn of its own nothing can come between: the news of the join waits in the mailbox.
    const still = ask(
      w,
      (function* (): Blocking<boolean> {
        yield* groups.join('g', w.pid);
        return yield* groups.demonitor(ref);
      })(),
    );
    assert.equal(still, true);
    ask(main, groups.join('g', main.pid));
    assert.deepEqual(news(w), []);
    assert.equal(ask(w, groups.demonitor(ref)), false);
    assert.equal(ask(w, groups.demonitor(scope.ref)), true);
    assert.deepEqual(new Set(world.runtime.info(process)!.monitoring), new Set([a.pid, w.pid, main.pid]));
  });

  test('who monitors may be a member too', () => {
    const { world, groups, scope, main, a, members } = setUp();
    ask(a, groups.monitor('g'));
    ask(a, groups.join('g', a.pid));
    const { ref } = ask(main, groups.monitor('g'));
    world.runtime.exit(a.pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(news(main), [[ref, 'leave', 'g', [a.pid]]]);
    assert.deepEqual(members('g'), []);
    assert.equal(world.runtime.isAlive(scope), true);
  });

  test('a monitor goes with its owner', () => {
    const { world, groups, scope, main, a, w } = setUp();
    ask(w, groups.monitor('g'));
    ask(w, groups.monitorScope());
    assert.deepEqual(world.runtime.info(scope)!.monitoring, [w.pid, w.pid]);
    world.runtime.exit(w.pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(world.runtime.info(scope)!.monitoring, []);
    const { sent } = world.runtime.local(scope)!;
    ask(main, groups.join('g', a.pid));
    // The reply, and nothing else.
    assert.equal(world.runtime.local(scope)!.sent, sent + 1);
    assert.deepEqual(world.runtime.info(scope)!.monitoring, [a.pid]);
  });

  test('when the scope ends its members are unharmed, and have left', () => {
    const { world, groups, scope, main, a, members } = setUp();
    ask(main, groups.join('g', a.pid));
    assert.deepEqual(groups.start(world.runtime), { error: { type: 'already_started', pid: scope } });
    world.runtime.exit(scope, ExitReason.kill);
    assert.deepEqual(members('g'), []);
    assert.throws(() => groups.whichGroups(world.runtime), /the scope sc does not run on scheduler 0/);
    assert.throws(() => groups.whichLocalGroups(world.runtime), BadArgument);
    const failed = world.puppet();
    failed.run((self) => self.block(groups.join('g', a.pid)));
    assert.deepEqual(reasonOf(world.runtime.exitReasonOf(failed.pid)), ['noproc', 'call']);
    assert.equal(world.runtime.isAlive(a.pid), true);
    groups.start(world.runtime);
    assert.deepEqual(members('g'), []);
  });

  test('what is no member and no group is refused, to the caller', () => {
    const { world, groups, scope, a } = setUp();
    const refuses = (what: Blocking<unknown>, pattern: RegExp) => {
      const caller = world.puppet();
      caller.run((self) => self.block(what));
      const reason = world.runtime.exitReasonOf(caller.pid);
      assert.ok(reason?.type === 'error' && reason.error instanceof BadArgument);
      assert.match(reason.error.message, pattern);
    };
    const remote = world.runtime.pid(7, 1234);
    refuses(groups.join('g', [a.pid, remote]), /<7\.1234\.0> is no process of this scheduler/);
    refuses(groups.leave('g', remote), /no process of this scheduler/);
    refuses(groups.join('g', 'a' as unknown as AnyPid), /a is no process/);
    refuses(groups.join(null as unknown as string, a.pid), /bad name of a group: null/);
    refuses(groups.monitor({} as string), /bad name of a group: \[object Object\]/);
    assert.equal(world.runtime.isAlive(scope), true);
    assert.deepEqual(groups.whichGroups(world.runtime), []);
  });

  test('a message that makes no sense ends the scope, as in OTP', () => {
    const { world, scope } = setUp();
    world.runtime.sendNamed('sc', 'what?');
    world.runtime.flush();
    assert.match(String(reasonOf(world.runtime.exitReasonOf(scope))), /no message for the scope sc.*what\?/);
  });

  test('it answers to sys, and is a child of a supervisor', async () => {
    const world = new World();
    const groups = new ProcessGroups();
    Supervisor.start(world.runtime, { children: [groups.child()] });
    const first = world.runtime.whereis('pg')!;
    const main = world.puppet();
    ask(main, groups.join('g', main.pid));
    assert.deepEqual(ask(main, sys.getState('pg')), new Map([['g', [main.pid]]]));
    world.runtime.exit(first, ExitReason.kill);
    world.runtime.flush();
    assert.ok(world.runtime.whereis('pg') !== undefined && world.runtime.whereis('pg') !== first);
    assert.deepEqual(groups.whichGroups(world.runtime), []);
  });
});

describe('groups over schedulers', () => {
  const groups = new ProcessGroups('sc');

  function setUpNode(count: number) {
    const node = new NodeOfWorlds(count);
    const puppets = node.worlds.map((world) => world.puppet());
    const scopes = node.worlds.map((world) => groups.start(world.runtime).ok!);
    node.settle();
    const run = <T>(at: number, what: Blocking<T>): T => {
      const value = ask(puppets[at]!, what);
      node.settle();
      return value;
    };
    /** Members by the name `scheduler.id`, so that they can be compared over schedulers. */
    const members = (at: number, group = 'g') =>
      groups.getMembers(node.worlds[at]!.runtime, group).map(String).sort();
    return { node, puppets, scopes, run, members };
  }

  test('all see the members of all; who is local knows where', () => {
    const { node, puppets, run, members } = setUpNode(3);
    const [a, b, c] = puppets as [Puppet, Puppet, Puppet];
    run(0, groups.join('g', a.pid));
    run(1, groups.join('g', [b.pid, b.pid]));
    run(2, groups.join('h', c.pid));
    for (const at of [0, 1, 2]) {
      assert.deepEqual(members(at), [a, b, b].map(({ pid }) => String(pid)).sort());
      assert.deepEqual(members(at, 'h'), [String(c.pid)]);
    }
    const { runtime } = node.worlds[0]!;
    assert.deepEqual(groups.getLocalMembers(runtime, 'g'), [a.pid]);
    assert.deepEqual(groups.whichLocalGroups(runtime), ['g']);
    assert.deepEqual(groups.whichGroups(runtime).sort(), ['g', 'h']);
    assert.ok(groups.getMembers(runtime, 'g').includes(node.seen(b.pid, 0)));
    run(1, groups.leave('g', b.pid));
    assert.deepEqual(members(0), [a, b].map(({ pid }) => String(pid)).sort());
    node.worlds[1]!.runtime.exit(b.pid, ExitReason.kill);
    node.settle();
    assert.deepEqual(members(2), [String(a.pid)]);
  });

  test('a scope that starts later, or again, learns of all and tells of its own', () => {
    const { node, puppets, scopes, run, members } = setUpNode(2);
    run(0, groups.join('g', puppets[0]!.pid));
    const late = node.add();
    node.settle();
    const puppet = late.puppet();
    groups.start(late.runtime);
    node.settle();
    assert.deepEqual(members(2), [String(puppets[0]!.pid)]);
    ask(puppet, groups.join('g', puppet.pid));
    node.settle();
    const both = [puppets[0]!.pid, puppet.pid].map(String).sort();
    assert.deepEqual([members(0), members(1), members(2)], [both, both, both]);
    // Of a list all are told of, as long as one of them was a member.
    const other = late.puppet();
    ask(puppet, groups.join('g', other.pid));
    node.settle();
    const { ref } = ask(puppets[0]!, groups.monitor('g'));
    node.settle();
    ask(puppet, groups.leave('g', [other.pid, other.pid]));
    node.settle();
    const gone = node.seen(other.pid, 0);
    assert.deepEqual(news(puppets[0]!), [[ref, 'leave', 'g', [gone, gone]]]);
    // Again: what its members had joined is gone, everywhere.
    node.worlds[0]!.runtime.exit(scopes[0]!, ExitReason.kill);
    node.settle();
    assert.deepEqual([members(0), members(1), members(2)], [[], [String(puppet.pid)], [String(puppet.pid)]]);
    groups.start(node.worlds[0]!.runtime);
    node.settle();
    assert.deepEqual(members(0), [String(puppet.pid)]);
  });

  test('when a scheduler is lost its processes leave, and monitors hear of it', () => {
    const { node, puppets, run, members } = setUpNode(3);
    const [a, b, c] = puppets as [Puppet, Puppet, Puppet];
    run(0, groups.join('g', a.pid));
    run(1, groups.join('g', [b.pid, b.pid]));
    run(1, groups.join('h', b.pid));
    const { ref } = run(2, groups.monitorScope());
    news(c);
    node.lose(1);
    node.settle();
    for (const at of [0, 2]) {
      assert.deepEqual(members(at), [String(a.pid)]);
      assert.deepEqual(groups.whichGroups(node.worlds[at]!.runtime), ['g']);
    }
    const remote = node.seen(b.pid, 2);
    assert.deepEqual(
      new Set(news(c)),
      new Set([
        [ref, 'leave', 'g', [remote, remote]],
        [ref, 'leave', 'h', [remote]],
      ]),
    );
  });

  test('one that is not known tells nothing, and what is synced again changes what differs only', () => {
    const { node, puppets, scopes, run, members } = setUpNode(2);
    const [a, b] = puppets as [Puppet, Puppet];
    run(1, groups.join('g', [b.pid]));
    run(1, groups.join('h', [b.pid]));
    const { ref } = run(0, groups.monitorScope());
    const scope = scopes[0] as unknown as Pid<unknown>;
    const { runtime } = node.worlds[0]!;
    const stranger = runtime.pid(9, 9);
    runtime.send(scope, { type: 'pg_join', peer: stranger, group: 'g', pids: [stranger] });
    runtime.send(scope, { type: 'pg_leave', peer: stranger, groups: ['g'], pids: [b.pid] });
    node.settle();
    assert.deepEqual(members(0), [String(b.pid)]);
    const [peer, remoteB, remoteC] = [node.seen(scopes[1]!, 0), node.seen(b.pid, 0), runtime.pid(1, 77)];
    runtime.send(scope, {
      type: 'pg_sync',
      peer,
      groups: [
        ['g', [remoteB, remoteC, remoteC]],
        ['i', [remoteB]],
      ],
    });
    node.settle();
    assert.deepEqual(news(a), [
      [ref, 'leave', 'h', [remoteB]],
      [ref, 'join', 'g', [remoteC, remoteC]],
      [ref, 'join', 'i', [remoteB]],
    ]);
    assert.deepEqual(groups.getMembers(runtime, 'g'), [remoteC, remoteC, remoteB]);
  });

  test('a message to a name of another scheduler reaches it, and is lost if nobody has the name', () => {
    const node = new NodeOfWorlds(2);
    const named = node.worlds[1]!.puppet({ name: 'there' });
    const { runtime } = node.worlds[0]!;
    runtime.sendNamedAt(1, 'there', 'hello');
    runtime.sendNamedAt(1, 'nobody', 'hello');
    runtime.sendNamedAt(5, 'there', 'hello');
    for (const nonsense of ['text', null, undefined, 7, {}])
      runtime.send(runtime.pid(1, runtime.outside.id), nonsense);
    node.settle();
    assert.deepEqual(named.inbox, ['hello']);
    assert.equal(node.worlds[1]!.runtime.outside.alive, true);
  });
});
