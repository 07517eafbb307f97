import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareMessageIds, formatMessageId, messageIdOf, parseMessageId } from '../../src/protocol/index.js';

describe('message ids', () => {
  it('go to text and back', () => {
    const id = messageIdOf(1_750_000_000_000, 63, 2 ** 40 + 5);
    const text = formatMessageId(id.high, id.low);
    assert.equal(text.length, 16);
    assert.deepEqual(parseMessageId(text), id);
    for (const bad of ['', '0', `${text}0`, text.toUpperCase().replace(/[0-9]/g, 'A'), 'g'.repeat(16)]) {
      assert.equal(parseMessageId(bad), null, bad);
    }
  });

  it('sort by time, then by seq, as numbers and as text', () => {
    const ids = [
      messageIdOf(0, 0, 1),
      messageIdOf(1023, 0, 1),
      messageIdOf(1024, 0, 1),
      messageIdOf(1_750_000_000_000, 5, 1),
      messageIdOf(1_750_000_000_000, 5, 2),
      messageIdOf(1_750_000_000_001, 5, 0),
      messageIdOf(2 ** 42 - 1, 5, 0),
    ];
    const texts = ids.map(({ high, low }) => formatMessageId(high, low));
    assert.deepEqual([...texts].sort(), texts);
    assert.deepEqual([...ids].reverse().sort(compareMessageIds), ids);
    assert.equal(compareMessageIds(ids[3]!, ids[3]!), 0);
  });
});
