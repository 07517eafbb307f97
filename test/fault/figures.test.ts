/** The figures of a running server: what they say under load, and of a thread that hangs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GroupDescription, Reading } from '../../src/metrics/reading.js';
import { underLoad } from '../support/load.js';
import { TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

/** Reads figures by name: group, instance, column. */
class Figures {
  private constructor(
    private readonly groups: readonly GroupDescription[],
    readonly reading: Reading,
  ) {}

  static async of(server: TestServer): Promise<Figures> {
    const groups = (await (await server.operator('/api/groups')).json()) as { groups: GroupDescription[] };
    return new Figures(groups.groups, (await (await server.operator('/api/reading')).json()) as Reading);
  }

  get(group: string, column: string, instance = ''): number {
    const at = this.groups
      .find(({ name }) => name === group)!
      .columns.findIndex(({ name }) => name === column);
    const row = this.reading.groups[group]?.find((one) => one.instance === instance);
    const figure = row?.figures[at];
    assert.equal(typeof figure, 'number', `${group}.${column} of "${instance}"`);
    return figure as number;
  }

  sum(group: string, column: string, instances: readonly string[]): number {
    return instances.reduce((total, instance) => total + this.get(group, column, instance), 0);
  }
}

const SCHEDULERS = ['scheduler-1', 'scheduler-2'];

describe('figures', () => {
  test('count what happens, and the states of a thread share its time', { timeout: 60_000 }, async (t) => {
    const server = await TestServer.start(t, { settings: { schedulers: 2 } });
    const before = await Figures.of(server);
    let during!: Figures;
    await underLoad(t, server, async (after) => {
      await after(2000);
      during = await Figures.of(server);
      await after(2000);
    });
    const now = await Figures.of(server);
    const grown = (group: string, column: string) => now.get(group, column) - before.get(group, column);
    assert.ok(grown('chat', 'send_acks') >= 4000);
    assert.ok(grown('chat', 'sends') >= grown('chat', 'send_acks'));
    assert.ok(grown('store', 'commands') >= 4000);
    assert.ok(grown('store', 'commits') <= grown('store', 'commands'));
    assert.ok(grown('store', 'commit_ms') <= grown('store', 'batch_ms'));
    assert.ok(grown('conn', 'frames_in') >= 4000 && grown('conn', 'bytes_in') > 4000 * 10);
    assert.ok(grown('conn', 'accepts') >= 8);
    assert.equal(
      grown('conn', 'closes'),
      ['normal', 'abnormal', 'going_away'].reduce((sum, name) => sum + grown('conn', `close_${name}`), 0),
    );
    const handled = now.sum('msgq', 'handled', SCHEDULERS) - before.sum('msgq', 'handled', SCHEDULERS);
    assert.ok(handled >= 8000, `${handled} handled`);
    assert.ok(during.sum('sched', 'slices', SCHEDULERS) > before.sum('sched', 'slices', SCHEDULERS));
    for (const thread of [...SCHEDULERS, 'main', 'writer-1']) {
      const states = ['handlers_ms', 'io_ms', 'gc_ms', 'timers_ms', 'idle_ms'];
      const elapsed = now.get('sched', 'elapsed_ms', thread) - before.get('sched', 'elapsed_ms', thread);
      const total = states
        .map((state) => now.get('sched', state, thread) - before.get('sched', state, thread))
        .reduce((sum, ms) => sum + ms);
      assert.ok(Math.abs(total - elapsed) < 1e-6 * elapsed + 1e-6, `${total} of ${elapsed} ms of ${thread}`);
      assert.ok(elapsed <= now.reading.uptimeMs - before.reading.uptimeMs + 1000);
      assert.ok(now.get('sched', 'handlers_ms', thread) > 0, thread);
    }
    const rings = now.get('ring', 'records', 'scheduler-1>scheduler-2');
    assert.ok(rings > 0 && now.get('ring', 'bytes', 'scheduler-1>scheduler-2') > rings);
    assert.ok(now.get('ring', 'publishes', 'scheduler-1>writer-1') > 0);
    // At rest nothing waits.
    await until('empty mailboxes', async () => {
      const figures = await Figures.of(server);
      return (
        figures.sum('msgq', 'total', SCHEDULERS) === 0 && figures.sum('msgq', 'longest', SCHEDULERS) === 0
      );
    });
  });

  test('of a scheduler that hangs are still to be had, and sums do not fall', {
    timeout: 60_000,
  }, async (t) => {
    const server = await TestServer.start(t, { settings: { schedulers: 2, schedulerHangMs: 60_000 } });
    await underLoad(t, server, async (after) => {
      await after(500);
    });
    const before = await Figures.of(server);
    await server.injectFault({ kind: 'loop-thread', thread: 'scheduler-2' });
    // It takes as long as the scheduler may take to answer: then it hangs for certain.
    await Figures.of(server);
    const first = await Figures.of(server);
    const second = await Figures.of(server);
    const handled = (figures: Figures) => figures.get('msgq', 'handled', 'scheduler-2');
    assert.ok(handled(first) >= handled(before) && handled(before) > 0);
    assert.equal(handled(second), handled(first));
    const worked = (figures: Figures) => figures.get('sched', 'io_ms', 'scheduler-2');
    const passed = second.reading.uptimeMs - first.reading.uptimeMs;
    const busy = worked(second) - worked(first);
    assert.ok(busy >= passed * 0.9, `${busy} of ${passed} ms: it is not idle`);
    for (const [group, column] of [
      ['chat', 'sends'],
      ['conn', 'accepts'],
      ['conn', 'frames_in'],
      ['store', 'commands'],
    ] as const) {
      assert.ok(second.get(group, column) >= before.get(group, column), `${group}.${column}`);
    }
  });
});
