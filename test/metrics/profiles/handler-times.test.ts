/** Samples of stacks, added up by handlers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuProfile, CpuProfileNode } from '../../../src/metrics/profiles/cpu-profile.js';
import { handlerTimes, sumOfRows } from '../../../src/metrics/profiles/handler-times.js';

const SOURCES = 'file:///srv/rookery/dist/src/';

/** Each stack outermost first, as `url function`; each sample takes 1 ms. */
function profileOf(stacks: readonly (readonly string[])[]): CpuProfile {
  const nodes: (CpuProfileNode & { readonly children: number[] })[] = [];
  const add = (frame: string) => {
    const [functionName = '', url = ''] = frame.split(' in ');
    const node = {
      id: nodes.length + 1,
      callFrame: { functionName, url: url.replace('src/', SOURCES), lineNumber: 0 },
      children: [] as number[],
    };
    nodes.push(node);
    return node;
  };
  const root = add('(root)');
  const samples = stacks.map((stack) => {
    let node = root;
    for (const frame of stack) {
      const below = add(frame);
      node.children.push(below.id);
      node = below;
    }
    return node.id;
  });
  return { nodes, samples, timeDeltas: samples.map(() => 1000), startTime: 0, endTime: 1e6 };
}

const timesOf = (...stacks: (readonly string[])[]) =>
  handlerTimes(profileOf(stacks), SOURCES).rows.map(({ process, handler }) => `${process} ${handler}`);

const turn = ['processTicks in node:internal/process/task_queues', 'run in src/actors/turns.js'];
const session = [
  ...turn,
  'receive in src/hot-code/hot-process.js',
  'receive in src/chat/handlers/session.js',
];

test('a sample counts for the handler that is nearest, whatever it has called', () => {
  const send = [...session, 'send in src/chat/handlers/session.js'];
  assert.deepEqual(timesOf(send), ['session session.send']);
  assert.deepEqual(
    timesOf([...send, 'submitSend in src/chat/sending.js', 'push in src/structures/spsc-ring.js']),
    ['session session.send'],
  );
  assert.deepEqual(timesOf([...send, 'handle in src/chat/handlers/block-add.js', ' in node:crypto']), [
    'session block-add.handle',
  ]);
});

test('the process is the one that was entered last', () => {
  const partition = [
    ...turn,
    'receive in src/chat/handlers/partition.js',
    'entry in src/chat/handlers/partition.js',
  ];
  assert.deepEqual(timesOf(partition), ['partition partition.entry']);
  const within = [
    ...partition,
    'dispatch in src/actors/runtime.js',
    'receive in src/chat/handlers/session.js',
  ];
  assert.deepEqual(timesOf(within), ['session session.receive']);
  // The entrance is not on the second stack.
  assert.deepEqual(timesOf(session, [...partition, 'push in src/chat/handlers/session.js']), [
    'session session.receive',
    'session session.push',
  ]);
  assert.deepEqual(timesOf([...turn, 'receive in src/chat/registrar.js', 'hash in src/chat/registrar.js']), [
    'registrar registrar.hash',
  ]);
});

test('code that was loaded into the running server is named with its release', () => {
  const loaded = ['receive in /srv/new/session.ts@3', 'submit in /srv/new/session.ts@3'];
  assert.deepEqual(timesOf([...turn, ...loaded]), ['session session@3.submit']);
});

test('what no handler has asked for stands in parentheses; idle time is not in the rows', () => {
  assert.deepEqual(timesOf(['(garbage collector)']), [' (garbage collection)']);
  assert.deepEqual(timesOf(['(program)']), [' (native code)']);
  assert.deepEqual(timesOf(turn), [' (scheduling)']);
  assert.deepEqual(timesOf(['poll in src/transport/uws/uws-listener.js']), [' (sockets)']);
  assert.deepEqual(timesOf(['x in file:///srv/node_modules/y/z.js']), [' (Node and packages)']);
  const begun = handlerTimes(profileOf([['post in src/metrics/profiles/cpu-sampler.js'], session]), SOURCES);
  assert.deepEqual([begun.ms, begun.ownMs, begun.rows.length], [1, 1, 1]);
  const profile = profileOf([['(idle)'], session, ['(idle)'], session, session]);
  assert.deepEqual(handlerTimes(profile, SOURCES), {
    ms: 5,
    idleMs: 2,
    ownMs: 0,
    samples: 5,
    rows: [{ process: 'session', handler: 'session.receive', samples: 3, ms: 3 }],
  });
});

test('V8’s clock may step back: no time is taken away', () => {
  const profile = { ...profileOf([session, session]), timeDeltas: [1000, -400] };
  assert.equal(handlerTimes(profile, SOURCES).ms, 1);
});

test('rows of several threads add up, the busiest first', () => {
  const one = handlerTimes(profileOf([session, ['(program)'], ['(program)']]), SOURCES);
  const two = handlerTimes(profileOf([session, session]), SOURCES);
  assert.deepEqual(
    sumOfRows([one, two]).map(({ handler, samples, ms }) => [handler, samples, ms]),
    [
      ['session.receive', 3, 3],
      ['(native code)', 2, 2],
    ],
  );
});
