import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { HardwareGroup } from '../../src/metrics/os/hardware-group.js';
import { osGroups } from '../../src/metrics/os/os-groups.js';
import { ProcFiles } from '../../src/metrics/os/proc-files.js';
import type { Figure, GroupSource } from '../../src/metrics/reading.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { within } from '../support/within.js';
import * as samples from './proc-samples.js';

/** A root with these files under it. */
function rootWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function group(root: string, name: string): GroupSource {
  const source = osGroups(new SimulatedClock(), null, new ProcFiles(root)).find(
    ({ description }) => description.name === name,
  );
  assert.ok(source !== undefined);
  return source;
}

/** Of the row of this instance, by column. */
async function figuresOf(source: GroupSource, instance = ''): Promise<Record<string, Figure>> {
  const row = (await source.read()).find((row) => row.instance === instance);
  assert.ok(row !== undefined, `no row ${instance}`);
  assert.equal(row.figures.length, source.description.columns.length);
  return Object.fromEntries(source.description.columns.map(({ name }, index) => [name, row.figures[index]!]));
}

test('a file is parsed when it has changed, or somebody else parses it', (t) => {
  const root = rootWith(t, { 'proc/stat': 'cpu 1' });
  const files = new ProcFiles(root);
  let parses = 0;
  const parse = (text: string) => `${text}, ${++parses}`;
  const write = (text: string) => writeFileSync(join(root, 'proc/stat'), text);
  assert.equal(files.parsed('proc/stat', parse), 'cpu 1, 1');
  assert.equal(files.parsed('proc/stat', parse), 'cpu 1, 1');
  write('cpu 2');
  assert.equal(files.parsed('proc/stat', parse), 'cpu 2, 2');
  assert.equal(files.parsed('proc/stat', parse), 'cpu 2, 2');
  write('cpu');
  assert.equal(files.parsed('proc/stat', parse), 'cpu, 3', 'shorter');
  // More than the buffer has room for at first.
  const long = 'cpu 1 '.repeat(8000);
  write(long);
  assert.equal(files.parsed('proc/stat', parse), `${long}, 4`);
  assert.equal(files.parsed('proc/stat', parse), `${long}, 4`);
  assert.equal(files.parsed('proc/stat', Number), Number.NaN);
  assert.equal(files.parsed('proc/stat', parse), `${long}, 5`);
  assert.equal(files.parsed('proc/nothing', parse), null);
  assert.equal(parses, 5);
  files.close();
});

describe('groups of the operating system', () => {
  test('os: times of the mean CPU never go back, whatever the kernel says', async (t) => {
    const root = rootWith(t, {
      'proc/stat': samples.STAT_6_18,
      'proc/meminfo': samples.MEMINFO_6_18,
      'proc/loadavg': '0.60 0.61 2.47 1/95 25062\n',
      'proc/pressure/cpu': samples.PRESSURE,
    });
    const os = group(root, 'os');
    const first = await figuresOf(os);
    assert.equal(first['user'], (2380509 * 10) / 2);
    assert.equal(first['mem_cached'], (44388 + 1167512) * 1024);
    assert.equal(first['swap_used'], (2097148 - 2000000) * 1024);
    assert.equal(first['load15'], 2.47);
    assert.equal(first['psi_cpu'], 10714142963);
    assert.equal(first['psi_io'], null);
    assert.equal(first['faults'], null);
    // One CPU goes; 200 ticks of user time come; iowait goes back.
    writeFileSync(
      join(root, 'proc/stat'),
      'cpu  2380709 114282 464562 1573923 14100 0 29564 6789 0 0\ncpu0 1191614 0 0 0 0 0 0 0 0 0\nctxt 5\n',
    );
    const second = await figuresOf(os);
    assert.equal(second['user']! - first['user']!, 2000);
    assert.equal(second['iowait'], first['iowait']);
    assert.equal(second['cpus'], 1);
    assert.equal(second['intr'], null);
  });

  test('net: sums without loopback, TCP by name', async (t) => {
    const root = rootWith(t, {
      'proc/net/dev': samples.DEV_6_18,
      'proc/net/snmp': samples.SNMP_6_18,
      'proc/net/netstat': samples.NETSTAT_2_6_32,
      'proc/net/sockstat': samples.SOCKSTAT,
    });
    const net = await figuresOf(group(root, 'net'));
    assert.equal(net['rx_pck'], 84071);
    assert.equal(net['tx'], 6022467);
    assert.equal(net['retrans'], 77355);
    assert.equal(net['listen_drop'], 3);
    assert.equal(net['overflows'], null);
    assert.equal(net['tcp_mem'], 306 * 4096);
    assert.equal(net['soft_drop'], null);
    const eth0 = await figuresOf(group(root, 'iface'), 'eth0');
    assert.deepEqual([eth0['rx_err'], eth0['rx_drop'], eth0['tx_err'], eth0['tx_drop']], [1, 2, 3, 4]);
    await assert.rejects(figuresOf(group(root, 'iface'), 'ifb0'));
  });

  test('disk: flushes are n/a on kernels without them', async (t) => {
    const fresh = group(rootWith(t, { 'proc/diskstats': samples.DISKSTATS_6_18 }), 'disk');
    const vda = await figuresOf(fresh, 'vda');
    assert.equal(vda['rd'], 14313010 * 512);
    assert.equal(vda['util'], 860640);
    assert.equal(vda['inflight'], 2);
    assert.equal(vda['flushes'], 2555182);
    const old = group(rootWith(t, { 'proc/diskstats': samples.DISKSTATS_2_6_32 }), 'disk');
    assert.equal((await figuresOf(old, 'sda'))['flushes'], null);
  });

  test('files: counted by the kernel, or one by one, or not at all', async (t) => {
    const root = rootWith(t, {
      'proc/sys/fs/file-nr': '592\t0\t2466190\n',
      'proc/self/limits': samples.LIMITS,
      // A file has a size, as the folder has since 6.2.
      'proc/self/fd': 'x'.repeat(19),
    });
    assert.deepEqual(await figuresOf(group(root, 'files')), {
      open: 19,
      limit: 20000,
      sys_open: 592,
      sys_limit: 2466190,
    });
    writeFileSync(join(root, 'proc/self/fd'), '');
    writeFileSync(join(root, 'proc/self/status'), 'FDSize:\t1000000\n');
    assert.equal((await figuresOf(group(root, 'files')))['open'], null);
  });

  test('without /proc everything is n/a, and nothing throws', async (t) => {
    const root = temporaryFolder(t);
    for (const name of ['os', 'net', 'files']) {
      const figures = await figuresOf(group(root, name));
      assert.deepEqual([...new Set(Object.values(figures))], [null], name);
    }
    for (const name of ['iface', 'disk']) assert.deepEqual(await group(root, name).read(), []);
  });
});

/** Not events.once, which takes a program that is not there for a failure of the wait. */
function ended(child: ChildProcess): Promise<unknown> {
  return new Promise((done) => child.once('close', done));
}

/** A program in perf's place, which says what it is started with. */
function fakePerf(t: TestContext, script: string): string {
  const path = join(temporaryFolder(t), 'perf');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('hardware counters', () => {
  const events = ['cycles', 'instructions', 'cache-references', 'cache-misses', 'branches', 'branch-misses'];

  test('what perf counts in one second comes evenly over the next, and perf goes when nobody reads', async (t) => {
    const clock = new SimulatedClock();
    const lines = events.map((name, index) => `1.0,${(index + 1) * 1000},,${name}:u,1,100.00,,`).join('\\n');
    const told = join(temporaryFolder(t), 'told');
    const perf = fakePerf(t, `echo "$@" > ${told}; printf '${lines}\\n' >&2; exec sleep 600`);
    const hw = new HardwareGroup({ clock, pid: 42, perf });
    assert.deepEqual(hw.read()[0]?.figures, [null, null, null, null, null, null]);
    const child = hw.child;
    assert.ok(child?.stderr);
    await within('what perf says', once(child.stderr, 'data'));
    assert.deepEqual(hw.read()[0]?.figures, [0, 0, 0, 0, 0, 0]);
    clock.advance(500);
    assert.deepEqual(hw.read()[0]?.figures, [500, 1000, 1500, 2000, 2500, 3000]);
    clock.advance(59_000);
    assert.deepEqual(hw.read()[0]?.figures[0], 1000);
    assert.equal(hw.child, child);
    const gone = once(child, 'exit');
    clock.advance(120_000);
    await within('the end of perf', gone);
    assert.equal(hw.child, null);
    // What was counted stays; the next reader has perf again.
    assert.deepEqual(hw.read()[0]?.figures[0], 1000);
    assert.notEqual(hw.child, null);
    hw.close();
  });

  for (const [what, script] of [
    ['no permission', 'echo "No permission to enable cycles event." >&2; exit 255'],
    [
      'no such counters',
      `printf '${events.map((name) => `1.0,<not supported>,,${name},0,100.00,,`).join('\\n')}\\n' >&2; exec sleep 600`,
    ],
  ] as const) {
    test(`${what}: n/a, and perf is not tried again`, async (t) => {
      const hw = new HardwareGroup({ clock: new SimulatedClock(), pid: null, perf: fakePerf(t, script) });
      hw.read();
      await within('the end of perf', ended(hw.child!));
      assert.deepEqual(hw.read()[0]?.figures, [null, null, null, null, null, null]);
      assert.equal(hw.child, null);
    });
  }

  test('no perf at all', async () => {
    const hw = new HardwareGroup({ clock: new SimulatedClock(), pid: null, perf: '/there/is/no/perf' });
    hw.read();
    await within('the end of perf', ended(hw.child!));
    assert.deepEqual(hw.read()[0]?.figures[0], null);
    assert.equal(hw.child, null);
  });
});
