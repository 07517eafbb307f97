/** Our processes as addresses for nact's functions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dispatch, query, type Ref, spawn, stop } from 'nact';
import { ExitReason, GenServer } from '../../src/actors/index.js';
import { processRef } from '../../src/nact/index.js';
import { NactWorld, spawnActor, tell } from './nact-world.js';

const counting = {
  init: () => GenServer.ok(0),
  handleCall: (request: 'get' | 'fail', _from: unknown, count: number) => {
    if (request === 'fail') throw new Error('cannot');
    return GenServer.reply(count, count);
  },
  handleCast: (by: number, count: number) => GenServer.noreply(count + by),
};

/** What an actor does, in the order in which it does it. */
function actorThat<T>(
  world: NactWorld,
  does: (context: { self: Ref<unknown> }) => Promise<T> | T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const ref = spawnActor(world.system(), async (_state, _message, context) => {
      try {
        resolve(await does(context));
      } catch (error) {
        reject(error);
      }
    });
    tell(ref, 'go');
  });
}

test('dispatch sends: to a pid, to a name, to nobody', async () => {
  const world = new NactWorld();
  const puppet = world.puppet({ name: 'puppet' });
  await Promise.all([
    actorThat(world, () => {
      dispatch(processRef<string>(world.runtime, puppet.pid), 'to the pid');
      dispatch(processRef<string>(world.runtime, 'puppet'), 'to the name');
      dispatch(processRef<string>(world.runtime, 'nobody'), 'to nobody');
    }),
    world.quiet(),
  ]);
  assert.deepEqual(puppet.inbox, ['to the pid', 'to the name']);
  const ref = processRef<string>(world.runtime, puppet.pid);
  world.runtime.exit(puppet.pid, ExitReason.kill);
  dispatch(ref, 'too late');
});

test('a message may be made of what is dispatched and its sender', () => {
  const world = new NactWorld();
  const puppet = world.puppet();
  const ref = processRef(world.runtime, puppet.pid, {
    message: (text: string, sender: Ref<unknown>) => ({ text, sender }),
  });
  const sender = spawn(world.system(), () => undefined);
  tell(ref as Ref<unknown>, 'hello', sender);
  world.runtime.flush();
  assert.deepEqual(puppet.raw, [{ text: 'hello', sender }]);
});

test('query with a function: the process dispatches the answer', async () => {
  const world = new NactWorld();
  const echo = world.runtime.spawn<{ sender: Ref<string>; text: string }>(() => ({
    receive(message) {
      if (!('text' in message)) return;
      dispatch(message.sender, `${message.text}!`);
      dispatch(message.sender, 'a second answer, which nobody wants');
    },
  }));
  const answer = actorThat(world, () =>
    query(processRef(world.runtime, echo), (sender: Ref<string>) => ({ sender, text: 'hello' }), 1000),
  );
  await world.quiet();
  assert.equal(await answer, 'hello!');
  const silent = world.puppet();
  const late = query(processRef(world.runtime, silent.pid), (sender: Ref<string>) => ({ sender }), 1000);
  world.advance(1000);
  await assert.rejects(late, /Query Timeout/);
});

test('query with anything else is a call to a server, dispatch a cast', async () => {
  const world = new NactWorld();
  const server = GenServer.start(world.runtime, counting, { name: 'server' }).ok!;
  const ref = processRef(world.runtime, 'server', { cast: true });
  const answer = actorThat(world, async () => {
    dispatch(ref, 5);
    dispatch(ref, 7);
    return query(ref, 'get' as never, 1000);
  });
  await world.quiet();
  assert.equal(await answer, 12);
  const failing = query(ref, 'fail' as never, 1000);
  const rejected = assert.rejects(failing, { name: 'CallFailed' });
  await world.quiet();
  await rejected;
  assert.equal(world.runtime.isAlive(server), false);
});

test('stop asks the process to end, and it is nobody’s parent', async () => {
  const world = new NactWorld();
  const puppet = world.puppet();
  const ref = processRef(world.runtime, puppet.pid);
  assert.throws(() => spawn(ref, () => undefined), /cannot be the parent of an actor/);
  stop(ref);
  assert.equal(await world.endOf(puppet.pid), 'shutdown');
});

test('of an actor that comes back under its name, with the sender of what is dispatched', async () => {
  const world = new NactWorld();
  const answers: unknown[] = [];
  const echo = spawnActor(world.system(), (_state, message, context) => tell(context.sender, message));
  world.runtime.register('echo', world.process(echo));
  const asker = spawnActor(world.system(), (_state, message) => {
    answers.push(message);
  });
  const ref = processRef(world.runtime, 'echo');
  tell(ref as Ref<unknown>, 'hello', asker);
  await world.quiet();
  assert.deepEqual(answers, ['hello']);
});
