import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Latencies } from '../../bench/chat/latencies.js';
import { LoadGenerator } from '../../bench/chat/load-generator.js';
import type { Dialect } from '../../bench/chat/load-messages.js';
import { FakeServer, type Misdeed } from './fake-server.js';

async function roundAgainst(misdeed: Misdeed, window: number, rate: number, dialect: Dialect = 'rookery') {
  const server = new FakeServer(misdeed);
  const generator = new LoadGenerator({
    dialect,
    bodyBytes: 120,
    sourceAddresses: 2,
    firstPhone: 49_100_000_000,
    settleMsMax: 300,
  });
  generator.shared.pinWanted = (phone) => generator.pin(phone, server.pin);
  try {
    await generator.open(server.port, 4, 4);
    return await generator.run({ window, rate, warmupMs: 50, measureMs: 100 }, noop, noop);
  } finally {
    generator.close();
    server.close();
  }
}
const noop = () => {};

test('a server that keeps its promises passes, in both loops', async () => {
  const closed = await roundAgainst('none', 16, 0);
  assert.ok(closed.delivered > 0);
  assert.ok(closed.p50Ms > 0 && closed.p50Ms <= closed.p99Ms);
  const batched = await roundAgainst('none', 16, 0, 'rookery-batched');
  assert.ok(batched.packetsIn < closed.packetsIn);
  const open = await roundAgainst('none', 0, 500);
  assert.ok(open.delivered > 0);
});

const misdeeds: [Misdeed, RegExp][] = [
  ['lose', /a hole|did not arrive/],
  ['twice', /twice/],
  ['swap', /a hole/],
  ['no-receipt', /a receipt from|did not arrive, or were not receipted/],
  ['no-ack', /SEND_ACK of/],
];
for (const [misdeed, complaint] of misdeeds) {
  test(`a server that commits "${misdeed}" is found out`, async () => {
    await assert.rejects(roundAgainst(misdeed, 4, 0), complaint);
  });
}

test('percentiles are within the width of a bucket', () => {
  const latencies = new Latencies();
  for (let us = 1; us <= 100_000; us++) latencies.record(us / 1000);
  for (const fraction of [0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = fraction * 100;
    assert.ok(Math.abs(latencies.percentile(fraction) - exact) <= exact / 64 + 0.001, `${fraction}`);
  }
  latencies.reset();
  assert.ok(Number.isNaN(latencies.percentile(0.5)));
});
