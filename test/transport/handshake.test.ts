import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offersSubprotocol, originAllowed } from '../../src/transport/handshake.js';

test('origins: exact, same, any, none', () => {
  const host = 'chat.example:8470';
  assert.equal(originAllowed([], '', host), true, 'no header: no browser');
  assert.equal(originAllowed([], 'http://chat.example:8470', host), false);
  assert.equal(originAllowed(['same'], 'http://chat.example:8470', host), true);
  assert.equal(originAllowed(['same'], 'https://CHAT.example:8470', host), true);
  assert.equal(originAllowed(['same'], 'http://chat.example', host), false);
  assert.equal(originAllowed(['same'], 'http://evil.example', host), false);
  assert.equal(originAllowed(['same'], 'null', host), false);
  assert.equal(originAllowed(['same'], 'null', ''), false);
  assert.equal(originAllowed(['https://a.example', 'https://b.example'], 'https://b.example', host), true);
  assert.equal(originAllowed(['https://a.example'], 'https://a.example.evil', host), false);
  assert.equal(originAllowed(['https://a.example'], 'http://a.example', host), false);
  assert.equal(originAllowed(['*'], 'null', host), true);
});

test('the subprotocol may be one of several', () => {
  assert.equal(offersSubprotocol('rookery.v1'), true);
  assert.equal(offersSubprotocol('rookery.v2, rookery.v1'), true);
  assert.equal(offersSubprotocol('rookery.v1,chat'), true);
  for (const wrong of ['', 'rookery.v2', 'rookery', 'rookery.v10', 'xrookery.v1', 'Rookery.v1']) {
    assert.equal(offersSubprotocol(wrong), false, wrong);
  }
});
