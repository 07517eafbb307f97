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

test('a page may connect to another port of the same server', () => {
  const ports = [8470, 8481];
  const same = (origin: string, host: string) => originAllowed(['same'], origin, host, ports);
  assert.equal(same('http://chat.example:8470', 'chat.example:8481'), true);
  assert.equal(same('http://chat.example:8481', 'chat.example:8470'), true);
  assert.equal(same('http://[::1]:8470', '[::1]:8481'), true);
  assert.equal(same('http://chat.example:8471', 'chat.example:8481'), false, 'not a port of this server');
  assert.equal(same('http://chat.example:8470', 'chat.example:9000'), false);
  assert.equal(same('http://evil.example:8470', 'chat.example:8481'), false);
  assert.equal(same('http://chat.example', 'chat.example:8481'), false);
  assert.equal(originAllowed(['same'], 'https://chat.example', 'chat.example:8481', [443, 8481]), true);
  assert.equal(originAllowed(['same'], 'http://chat.example', 'chat.example:8481', [443, 8481]), false);
  assert.equal(originAllowed([], 'http://chat.example:8470', 'chat.example:8481', ports), false);
  assert.equal(same('null', 'chat.example:8481'), false);
});

test('the subprotocol may be one of several', () => {
  assert.equal(offersSubprotocol('rookery.v1'), true);
  assert.equal(offersSubprotocol('rookery.v2, rookery.v1'), true);
  assert.equal(offersSubprotocol('rookery.v1,chat'), true);
  for (const wrong of ['', 'rookery.v2', 'rookery', 'rookery.v10', 'xrookery.v1', 'Rookery.v1']) {
    assert.equal(offersSubprotocol(wrong), false, wrong);
  }
});
