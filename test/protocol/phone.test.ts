import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatPhone, isPhone, parsePhone } from '../../src/protocol/index.js';

describe('phone numbers', () => {
  it('have 7 to 15 digits', () => {
    assert.ok(isPhone(1_000_000) && isPhone(999_999_999_999_999));
    for (const no of [
      999_999,
      1e15,
      0,
      -4915112345678,
      4915112345678.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]) {
      assert.ok(!isPhone(no), String(no));
    }
  });

  it('are found in what people type', () => {
    for (const text of ['+49 170 1234567', '491701234567', ' +49 (170) 123-45.67 ', '+49/170/1234567']) {
      assert.equal(parsePhone(text), 491701234567, text);
    }
    for (const text of [
      '',
      '+',
      '0170 1234567',
      '123456',
      '1234567890123456',
      '+49 170 x',
      '++491701234567',
      '49+1701234567',
    ]) {
      assert.equal(parsePhone(text), null, text);
    }
    assert.equal(formatPhone(491701234567), '+491701234567');
  });
});
