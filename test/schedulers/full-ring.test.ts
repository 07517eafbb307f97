/** What happens when a scheduler does not take what it is sent. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Script } from 'node:vm';
import { ExitReason, type Pid } from '../../src/actors/index.js';
import { type MessageCodec, MessageCodecs, NotEncodable } from '../../src/schedulers/index.js';
import { reasonOf } from '../actors/world.js';
import { RingWorlds } from './ring-pair.js';

const RING = 64 * 1024;
const OVERFLOW = 256 * 1024;
const open: RingWorlds[] = [];
after(() => {
  for (const rings of open) rings.close();
});

function setUp() {
  const rings = new RingWorlds(2, { ringBytes: RING, overflowBytesMax: OVERFLOW });
  open.push(rings);
  const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
  const b = there.puppet({ trapExit: true });
  const a = here.puppet({ trapExit: true });
  return { rings, here, there, a, b, remoteB: here.runtime.pid(1, b.pid.id) };
}

/** Sends numbered texts of about a kilobyte until one is not taken; how many were. */
function fill(from: ReturnType<typeof setUp>): number {
  const { here, remoteB } = from;
  for (let n = 0; ; n++) {
    if (!here.runtime.trySend(remoteB, `${n} ${'x'.repeat(1000)}`)) return n;
    assert.ok(n < 10_000, 'there is no bound');
    if (n % 50 === 0) here.runtime.flush();
  }
}

const ring = (rings: RingWorlds) => rings.pool.ringReports().find(({ from }) => from === 0)!;

describe('a full ring', () => {
  test('lets the rest wait up to the bound, loses none of it, and takes on again', () => {
    const world = setUp();
    const { rings, here, b, remoteB } = world;
    const taken = fill(world);
    assert.ok(taken * 1000 >= OVERFLOW && taken * 1000 < 2 * (OVERFLOW + RING));
    const full = ring(rings).stats;
    assert.ok(full.overflowBytesMax >= OVERFLOW);
    assert.equal(full.dropped, 1);
    assert.equal(here.eventsOf('busy_port').length, 1);
    const [overflow] = here.eventsOf('port_overflow');
    assert.equal(overflow!.scheduler, 1);
    assert.ok(overflow!.waitingBytes >= OVERFLOW);
    rings.settle();
    assert.deepEqual(
      b.inbox.map((text) => Number.parseInt(text as string, 10)),
      Array.from({ length: taken }, (_, n) => n),
    );
    assert.equal(ring(rings).stats.overflowBytes, 0);
    assert.equal(here.runtime.trySend(remoteB, 'again'), true);
    rings.settle();
    assert.equal(b.inbox.at(-1), 'again');
  });

  test('a bound that is changed holds at once, for rings that are there', () => {
    const world = setUp();
    const { rings, here, remoteB } = world;
    fill(world);
    assert.equal(here.runtime.trySend(remoteB, 'no'), false);
    rings.routers[0]!.overflowBytesMax = 2 * OVERFLOW;
    assert.equal(here.runtime.trySend(remoteB, 'yes'), true);
    rings.routers[0]!.overflowBytesMax = 0;
    assert.equal(here.runtime.trySend(remoteB, 'no'), false);
    assert.throws(() => {
      rings.routers[0]!.overflowBytesMax = 2 ** 30;
    }, /bad overflowBytesMax: 1073741824/);
    assert.equal(rings.routers[0]!.overflowBytesMax, 0);
    rings.settle();
  });

  test('is told of once a second, not for each message', () => {
    const world = setUp();
    const { here, remoteB } = world;
    fill(world);
    for (let n = 0; n < 100; n++) here.runtime.send(remoteB, n);
    assert.equal(here.eventsOf('port_overflow').length, 1);
    here.advance(1000);
    here.runtime.send(remoteB, 1);
    assert.deepEqual(
      here.eventsOf('port_overflow').map(({ dropped }) => dropped),
      [1, 102],
    );
  });

  test('refuses links, monitors and calls with noconnection', () => {
    const world = setUp();
    const { here, a, remoteB } = world;
    fill(world);
    const outcomes: unknown[] = [];
    a.run((self) => {
      self.monitor(remoteB);
      self.link(remoteB);
      self.request(remoteB, 'x', (outcome) => outcomes.push(outcome.ok || reasonOf(outcome.reason)));
    });
    assert.deepEqual(a.inbox, [
      ['DOWN', remoteB, 'noconnection'],
      ['EXIT', remoteB, 'noconnection'],
    ]);
    assert.deepEqual(outcomes, ['noconnection']);
    assert.deepEqual(here.runtime.signals.remoteCounts, { exported: 0, watches: 0 });
  });

  test('takes the ends of links and monitors all the same, in their place', () => {
    const world = setUp();
    const { rings, here, there, b, remoteB } = world;
    const watched: Pid[] = [];
    for (let n = 0; n < 50; n++) watched.push(here.puppet().pid);
    b.run((self) => {
      for (const pid of watched) {
        const remote = there.runtime.pid(0, pid.id);
        self.link(remote);
        self.monitor(remote);
      }
    });
    rings.settle();
    const taken = fill(world);
    for (const [n, pid] of watched.entries())
      here.runtime.exit(pid, ExitReason.custom({ n, why: 'y'.repeat(100) }));
    // Dropped: one that is sent by somebody.
    here.runtime.exit(remoteB, ExitReason.custom('dropped'));
    rings.settle();
    const exits = b.inbox.filter((message) => Array.isArray(message) && message[0] === 'EXIT');
    const downs = b.inbox.filter((message) => Array.isArray(message) && message[0] === 'DOWN');
    assert.deepEqual([b.inbox.length, exits.length, downs.length], [taken + 100, 50, 50]);
    assert.equal(typeof b.inbox[taken - 1], 'string');
  });

  test('is gone with its scheduler, and what waited behind it', () => {
    const world = setUp();
    const { rings, here, a, remoteB } = world;
    a.run((self) => self.monitor(remoteB));
    fill(world);
    rings.lose(1);
    rings.settle();
    assert.deepEqual(a.inbox, [['DOWN', remoteB, 'noconnection']]);
    const again = rings.open(1);
    const c = again.puppet();
    here.runtime.send(here.runtime.pid(again.runtime.scheduler, c.pid.id), 'new');
    here.runtime.send(here.runtime.pid(1, c.pid.id), 'old');
    rings.settle();
    assert.deepEqual(c.inbox, ['new']);
  });
});

describe('long messages', () => {
  test('go in pieces, in their place among the others', () => {
    const { rings, here, b, remoteB } = setUp();
    const long = new Uint8Array(200_000).map((_, n) => n % 251);
    here.runtime.send(remoteB, 'before');
    here.runtime.send(remoteB, long);
    here.runtime.send(remoteB, { text: 'é'.repeat(60_000) });
    rings.settle();
    here.runtime.send(remoteB, 'ü'.repeat(50_000));
    here.runtime.send(remoteB, 'behind');
    rings.settle();
    assert.deepEqual(b.inbox, ['before', long, { text: 'é'.repeat(60_000) }, 'ü'.repeat(50_000), 'behind']);
  });

  test('too long a one is refused, and nothing of it sent', () => {
    const { rings, here, b, remoteB } = setUp();
    assert.throws(
      () => here.runtime.send(remoteB, new Uint8Array(130 * 1024 * 1024)),
      (error: unknown) => error instanceof NotEncodable && /a message of \d+ bytes/.test(error.message),
    );
    here.runtime.send(remoteB, 'next');
    rings.settle();
    assert.deepEqual(b.inbox, ['next']);
  });
});

describe('what cannot be sent', () => {
  test('is thrown to the sender, and nothing before or behind it is lost', () => {
    const { rings, here, b, remoteB } = setUp();
    here.runtime.send(remoteB, 1);
    assert.throws(() => here.runtime.send(remoteB, { f() {} }), /message\.f: the function f/);
    assert.throws(() => here.runtime.cast(remoteB, [Symbol('s')]), /message\[0\]: Symbol\(s\)/);
    here.runtime.send(remoteB, 2);
    rings.settle();
    assert.deepEqual(b.inbox, [1, 2]);
  });

  test('by a timer: is told, since there is nobody to throw it to', () => {
    const { here, remoteB } = setUp();
    here.runtime.sendAfter(5, remoteB, () => {});
    here.advance(5);
    const [event] = here.eventsOf('undeliverable');
    assert.equal(event!.target, remoteB);
    assert.ok(event!.error instanceof NotEncodable);
  });

  test('a codec that writes more than it said is an error of the sender, and harms nothing else', () => {
    const liar: MessageCodec<{ readonly type: 'liar' }> = {
      code: 1,
      message: 'liar',
      bytesMax: () => 8,
      encode(_message, out) {
        for (let n = 0; n < 100; n++) out.number(n);
      },
      decode: () => ({ type: 'liar' }),
    };
    const rings = new RingWorlds(2, { codecs: new MessageCodecs([liar]) });
    open.push(rings);
    const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
    const b = there.puppet();
    const remoteB = here.runtime.pid(1, b.pid.id);
    for (let n = 0; n < 2000; n++) {
      here.runtime.send(remoteB, n);
      assert.throws(() => here.runtime.send(remoteB, { type: 'liar' }), /wrote more than its bytesMax/);
      if (n % 100 === 0) rings.settle();
    }
    rings.settle();
    assert.deepEqual(
      b.inbox,
      Array.from({ length: 2000 }, (_, n) => n),
    );
  });
});

describe('a process that is cut off while its message is written', () => {
  test('leaves nothing of it in the ring', () => {
    let cut = true;
    const codec: MessageCodec<{ readonly type: 'cut'; readonly n: number }> = {
      code: 1,
      message: 'cut',
      bytesMax: () => 24,
      encode({ n }, out) {
        out.number(n);
        while (cut);
        out.number(n);
      },
      decode: (input) => ({ type: 'cut', n: input.number() + input.number() }),
    };
    const rings = new RingWorlds(2, { codecs: new MessageCodecs([codec]) });
    open.push(rings);
    const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
    const b = there.puppet();
    const remoteB = here.runtime.pid(1, b.pid.id);
    here.runtime.send(remoteB, 1);
    // As the guard does it, without `catch` or `finally` on the way.
    const scope = globalThis as { sendInScript?: () => void };
    scope.sendInScript = () => here.runtime.send(remoteB, { type: 'cut', n: 5 });
    assert.throws(() => new Script('sendInScript()').runInThisContext({ timeout: 20 }), /timed out/);
    delete scope.sendInScript;
    cut = false;
    here.runtime.send(remoteB, { type: 'cut', n: 7 });
    rings.settle();
    assert.deepEqual(b.inbox, [1, { type: 'cut', n: 14 }]);
  });
});

describe('message codecs', () => {
  test('one that sends while it writes is refused', () => {
    const codec: MessageCodec<{ readonly type: 'chatty' }> = {
      code: 1,
      message: 'chatty',
      bytesMax: () => 0,
      encode: () => here.runtime.send(remoteB, 'inner'),
      decode: () => ({ type: 'chatty' }),
    };
    const rings = new RingWorlds(2, { codecs: new MessageCodecs([codec]) });
    open.push(rings);
    const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
    const b = there.puppet();
    const remoteB = here.runtime.pid(1, b.pid.id);
    assert.throws(() => here.runtime.send(remoteB, { type: 'chatty' }), /sent a message while it wrote one/);
    rings.settle();
    assert.deepEqual(b.inbox, ['inner']);
  });

  test('codes and messages stand once', () => {
    const codec = (code: number, message: string): MessageCodec => ({
      code,
      message,
      bytesMax: () => 0,
      encode() {},
      decode: () => null,
    });
    assert.throws(() => new MessageCodecs([codec(0, 'a')]), /bad code of a message codec: 0/);
    assert.throws(() => new MessageCodecs([codec(65536, 'a')]), /65536/);
    assert.throws(
      () => new MessageCodecs([codec(1, 'a'), codec(1, 'b')]),
      /two message codecs have the code 1/,
    );
    assert.throws(() => new MessageCodecs([codec(1, 'a'), codec(2, 'a')]), /two message codecs are for a/);
  });
});
