import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GroupDescription, Reading } from '../../../src/metrics/reading.js';
import { type Beat, type Live, observe } from '../../../tools/wsar/live.js';
import type { Observed } from '../../../tools/wsar/observed.js';
import { ServerAway } from '../../../tools/wsar/server-client.js';
import { watchUntil } from '../../../tools/wsar/watch.js';
import { MEM, SCHED, TEN } from './some-samples.js';

/** Time that passes only when it is waited for. */
class TestBeat implements Beat {
  ms = 100;
  now(): number {
    return this.ms;
  }
  async until(at: number): Promise<void> {
    this.ms = Math.max(this.ms, at);
  }
}

/** A server with a script: what it does when its time has come. */
class TestServer implements Live {
  readonly origin = { program: 'rookery', system: '', host: 'test', cpus: null };
  groups: readonly GroupDescription[] = [SCHED, MEM];
  startedAt = 0;
  isAway = false;
  describes = 0;
  readonly asked: string[][] = [];
  constructor(readonly beat: TestBeat) {}

  async describe(): Promise<readonly GroupDescription[]> {
    if (this.isAway) throw new ServerAway('http://test does not answer: gone');
    this.describes++;
    return this.groups;
  }

  async read(names: readonly string[]): Promise<Reading> {
    if (this.isAway) throw new ServerAway('http://test does not answer: gone');
    this.asked.push([...names]);
    const uptimeMs = this.beat.ms - this.startedAt;
    const figures = [uptimeMs, uptimeMs / 2, 1, 1, 0];
    return {
      version: 1,
      at: TEN + this.beat.ms,
      uptimeMs,
      groups: { sched: [{ instance: 's', figures }], mem: [{ instance: '', figures: [1, 1] }] },
    };
  }
}

/** So many things that are seen; before each one the script may do something. */
async function seen(server: TestServer, count: number, script: (index: number) => void): Promise<Observed[]> {
  const all: Observed[] = [];
  const wants = ({ name }: GroupDescription) => name === 'sched';
  for await (const one of observe(server, wants, 1000, new AbortController().signal, server.beat)) {
    all.push(one);
    if (all.length === count) break;
    script(all.length);
  }
  return all;
}

const kinds = (all: readonly Observed[]) => all.map(({ type }) => type);

describe('looking at a server', () => {
  test('once an interval, only what is wanted', async () => {
    const server = new TestServer(new TestBeat());
    assert.deepEqual(kinds(await seen(server, 3, () => {})), ['sample', 'sample', 'sample']);
    assert.deepEqual(server.asked, [['sched'], ['sched'], ['sched']]);
    assert.equal(server.beat.ms, 2100);
    assert.equal(server.describes, 1);
  });

  test('a server that goes is waited for, said once, and when it has begun anew that is said', async () => {
    const server = new TestServer(new TestBeat());
    const all = await seen(server, 6, (index) => {
      if (index === 2) {
        server.isAway = true;
        // It is back after three beats, half a second old.
        const { until } = server.beat;
        let left = 3;
        server.beat.until = async (at) => {
          await until.call(server.beat, at);
          if (--left > 0) return;
          server.isAway = false;
          server.startedAt = server.beat.ms - 500;
          server.beat.until = until;
        };
      }
    });
    assert.deepEqual(kinds(all), ['sample', 'sample', 'note', 'restart', 'sample', 'sample']);
  });

  test('a restart between two readings is seen although the uptime has grown', async () => {
    const server = new TestServer(new TestBeat());
    const all = await seen(server, 5, (index) => {
      // Old: 0 … 1.1 s. New at the next reading: 1.3 s old, where 2.1 s would be right.
      if (index === 2) server.startedAt = server.beat.ms + 1000 - 1300;
    });
    assert.deepEqual(kinds(all), ['sample', 'sample', 'restart', 'sample', 'sample']);
    assert.equal(server.describes, 2, 'it may have other groups now');
  });

  test('a server that was never there is no server', async () => {
    const server = new TestServer(new TestBeat());
    server.isAway = true;
    await assert.rejects(
      seen(server, 1, () => {}),
      ServerAway,
    );
  });

  test('so many reports as were wanted, then the averages, and no negative rate over a restart', async () => {
    const server = new TestServer(new TestBeat());
    const said: string[] = [];
    const note = (what: string) => (values: { readonly tables: ReadonlyMap<string, unknown> }) => {
      const table = values.tables.get('sched') as { rows: { values: Float64Array }[] };
      said.push(`${what} ${table.rows[0]?.values.slice(0, 2).join(' ')}`);
    };
    let reports = 0;
    await watchUntil(
      server,
      {
        intervalMs: 1000,
        count: 4,
        isBacklog: false,
        isText: true,
        note: (text) => said.push(text),
        viewsOf: (groups) => [{ group: groups[0]!, columns: [0] }],
        outputOf: () => ({
          begin: () => said.push('begin'),
          interval: (interval) => {
            note('interval')(interval);
            if (++reports === 2) server.startedAt = server.beat.ms + 990;
          },
          restart: () => said.push('restart'),
          average: note('average'),
        }),
      },
      new AbortController().signal,
      server.beat,
    );
    assert.deepEqual(said, [
      'begin',
      'interval 1000 0.5',
      'interval 1000 0.5',
      'restart',
      'interval 1000 0.5',
      'interval 1000 0.5',
      'average 1000 0.5',
    ]);
  });
});
