import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDisks } from '../../src/metrics/os/parse-disks.js';
import {
  parseColons,
  parseFileNumbers,
  parseInterfaces,
  parseLimit,
  parseLoad,
  parsePairs,
  parsePressure,
  parseSockets,
  parseSoftnet,
  parseWords,
} from '../../src/metrics/os/parse-lines.js';
import { parsePerf } from '../../src/metrics/os/parse-perf.js';
import { parseStat } from '../../src/metrics/os/parse-stat.js';
import * as samples from './proc-samples.js';

describe("the kernel's files", () => {
  test('stat: all states, or those that an old kernel has', () => {
    assert.deepEqual(parseStat(samples.STAT_6_18), {
      cpuTicks: [2380509, 114282, 464562, 1573923, 14200, 0, 29564, 6789],
      cpus: 2,
      interrupts: 40436233,
      softInterrupts: 96254762,
      contextSwitches: 163941359,
      forks: 446638,
      running: 2,
      blocked: 0,
    });
    const old = parseStat(samples.STAT_2_6_24);
    assert.equal(old?.softInterrupts, null);
    assert.deepEqual(old?.cpuTicks.slice(5), [0, 25195, 0]);
    const older = parseStat(samples.STAT_2_4);
    assert.deepEqual(older?.cpuTicks, [1393280, 32966, 572056, 13343292, null, null, null, null]);
    assert.equal(older?.running, null);
    for (const text of ['', 'cpu\n', 'nonsense 1 2 3\n']) assert.equal(parseStat(text), null);
  });

  test('meminfo and vmstat', () => {
    const names = ['MemAvailable', 'HugePages_Total', 'Cached', 'MemTotal'];
    assert.deepEqual(parseColons(samples.MEMINFO_6_18, names), [
      24006844 * 1024,
      0,
      // Not SwapCached, which stands in the line behind it.
      1167512 * 1024,
      24684100 * 1024,
    ]);
    assert.deepEqual(parseColons(samples.MEMINFO_2_6_32, names), [null, null, 20000 * 1024, 1922060 * 1024]);
    assert.deepEqual(parseColons('SwapCached: 7 kB\nCached: 5 kB', ['Cached']), [5120]);
    assert.deepEqual(parseColons('MemTotal: lots kB\n', ['MemTotal', 'lots']), [null, null]);
    const words = 'pswpin 3\npgfault 589123667\nbad x\nworse 12x\nempty \npgmajfault 9';
    assert.deepEqual(
      parseWords(words, ['pswpin', 'pgfault', 'bad', 'worse', 'empty', 'pgmajfault', 'fault', 'none']),
      [3, 589123667, null, null, null, 9, null, null],
    );
  });

  test('loadavg, pressure', () => {
    assert.deepEqual(parseLoad('0.60 0.61 2.47 1/95 25062\n'), [0.6, 0.61, 2.47]);
    assert.deepEqual(parseLoad('nonsense'), [null, null, null]);
    assert.equal(parsePressure(samples.PRESSURE), 10714142963);
    assert.equal(parsePressure(''), null);
  });

  test('snmp and netstat are read by name, whatever their order', () => {
    const names = ['RetransSegs', 'CurrEstab', 'MaxConn', 'RtoAlgorithm', 'InCsumErrors', 'Segs'];
    assert.deepEqual(parsePairs(samples.SNMP_6_18, 'Tcp', names), [77355, 7, null, 1, 0, null]);
    const extended = ['ListenOverflows', 'ListenDrops', 'TCPHPHits', 'SyncookiesSent'];
    assert.deepEqual(parsePairs(samples.NETSTAT_6_18, 'TcpExt', extended), [357, 358, 35693341, 104]);
    assert.deepEqual(parsePairs(samples.NETSTAT_2_6_32, 'TcpExt', extended), [null, 3, 4, 1]);
    assert.deepEqual(parsePairs('Tcp: A B\nUdp: 1 2\n', 'Tcp', ['A']), [null]);
    assert.deepEqual(parsePairs('Tcp: A B\nTcp: 1', 'Tcp', ['A', 'B']), [1, null]);
    assert.deepEqual(parsePairs('', 'Tcp', ['A']), [null]);
  });

  test('sockstat, softnet_stat', () => {
    assert.deepEqual(parseSockets(samples.SOCKSTAT, 'sockets', ['used']), [117]);
    assert.deepEqual(parseSockets(samples.SOCKSTAT, 'TCP', ['tw', 'mem', 'inuse', 'memory']), [
      12,
      306,
      41,
      null,
    ]);
    assert.deepEqual(parseSockets('TCP: inuse', 'TCP', ['inuse']), [null]);
    assert.deepEqual(parseSoftnet(samples.SOFTNET_6_18), {
      processed: 0x024f5385 + 0x0240d0a2,
      dropped: 0x201,
      squeezed: 0x11 + 0xb,
    });
    assert.deepEqual(parseSoftnet(samples.SOFTNET_2_6_32), { processed: 255, dropped: 1, squeezed: 2 });
    assert.equal(parseSoftnet('nothing\n'), null);
  });

  test('net/dev', () => {
    const [lo, , eth0] = parseInterfaces(samples.DEV_6_18);
    assert.equal(lo?.name, 'lo');
    assert.deepEqual(eth0?.received.slice(0, 4), [2551720021, 84071, 1, 2]);
    assert.deepEqual(eth0?.sent.slice(0, 4), [6022467, 62529, 3, 4]);
    const old = parseInterfaces(samples.DEV_2_6_32);
    assert.deepEqual(
      old.map(({ name, received }) => [name, received[0]]),
      [
        ['lo', 12345678],
        ['eth0', 2551720021],
        ['eth0:1', 10],
      ],
    );
  });

  test('diskstats: whole devices that have done something', () => {
    const disks = parseDisks(samples.DISKSTATS_6_18);
    assert.deepEqual(
      disks.map(({ name, words }) => [name, words.length]),
      [
        ['vda', 17],
        ['nvme0n1', 17],
      ],
    );
    assert.deepEqual(
      parseDisks(samples.DISKSTATS_2_6_32).map(({ name, words }) => [name, words.length]),
      [
        ['sda', 11],
        ['dm-0', 11],
      ],
    );
  });

  test('limits, file-nr', () => {
    assert.equal(parseLimit(samples.LIMITS, 'Max open files'), 20000);
    assert.equal(parseLimit(samples.LIMITS, 'Max cpu time'), Number.POSITIVE_INFINITY);
    assert.equal(parseLimit(samples.LIMITS, 'Max nothing'), null);
    assert.deepEqual(parseFileNumbers('592\t0\t2466190\n'), { open: 592, limit: 2466190 });
    assert.deepEqual(parseFileNumbers(''), { open: null, limit: null });
  });

  test("perf's lines", () => {
    const line = '     1.001226556,123456789,,cycles:u,1000,100.00,,';
    assert.deepEqual(parsePerf(line), {
      seconds: 1.001226556,
      event: 0,
      value: 123456789,
      isSupported: true,
    });
    const denied = parsePerf('     0.500568243,<not supported>,,branch-misses,0,100.00,,');
    assert.deepEqual(denied, { seconds: 0.500568243, event: 5, value: null, isSupported: false });
    assert.equal(parsePerf('  1.5,<not counted>,,cycles,0,0.00,,')?.isSupported, true);
    for (const other of ['', 'Error:', 'No permission to enable cycles event.', '1.0,1,,page-faults,1,1,,'])
      assert.equal(parsePerf(other), null);
  });
});
