import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseCode } from '../../src/protocol/index.js';
import { closeKey, ListenerCounters } from '../../src/transport/listener.js';

test('closes are counted by their codes, under as many names as there are, whatever clients send', () => {
  assert.equal(closeKey(1000), 'normal');
  assert.equal(closeKey(1001), 'normal');
  assert.equal(closeKey(1006), 'abnormal');
  assert.equal(closeKey(CloseCode.slowConsumer), 'slowConsumer');
  const counters = new ListenerCounters();
  for (let code = 1000; code < 5000; code++) counters.close(code);
  assert.equal(counters.closed, 4000);
  assert.equal(counters.closedBy['normal'], 2);
  assert.equal(counters.closedBy['deviceReplaced'], 1);
  assert.equal(Object.keys(counters.closedBy).length, Object.keys(CloseCode).length + 3);
  assert.equal(
    Object.values(counters.closedBy).reduce((sum, count) => sum + count),
    4000,
  );
});
