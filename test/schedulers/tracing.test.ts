/** What a traced process is shown of messages that come from other schedulers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPid, GenServer, type Pid } from '../../src/actors/index.js';
import { type TraceEvent, trace } from '../../src/actors/tracing.js';
import type { World } from '../actors/world.js';
import { RingWorlds } from './ring-pair.js';
import { testCodecs } from './test-codecs.js';

test('a request names its caller, anything else the scheduler that it comes from', () => {
  const rings = new RingWorlds(3, { codecs: testCodecs });
  try {
    const [here, , there] = rings.worlds as [World, World, World];
    const server = GenServer.start(here.runtime, {
      init: () => GenServer.ok(0),
      handleCall: (request: unknown, _from: unknown, state: number) => GenServer.reply(request, state),
    }).ok as unknown as Pid<unknown>;
    const local = here.puppet();
    const seen: TraceEvent[] = [];
    here.runtime.flush();
    trace(here.runtime, server as Pid, (event) => seen.push(event));
    const target = there.runtime.pid(0, server.id) as Pid<unknown>;
    const caller = there.puppet();
    caller.run((self) => GenServer.sendRequest(self, target, 'ask'));
    caller.self.send(target, { type: 'tick', count: 1 });
    rings.settle();
    local.run((self) => self.send(server, 'local'));
    rings.settle();
    here.runtime.send(server, 'socket');
    const ins = seen.filter((event) => event.type === 'in');
    assert.deepEqual(
      ins.map(({ from, scheduler }) => [from === null ? null : formatPid(from), scheduler]),
      [
        [formatPid(caller.pid), 2],
        [null, 2],
        [formatPid(local.pid), null],
        [null, null],
      ],
    );
  } finally {
    rings.close();
  }
});
