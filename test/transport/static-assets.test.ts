import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentType, etagMatches, staticAssets } from '../../src/transport/static-assets.js';

const bytes = (text: string) => new TextEncoder().encode(text);

test('content types by extension, and none is guessed', () => {
  assert.equal(contentType('/a.js'), 'text/javascript; charset=utf-8');
  assert.equal(contentType('/a.b/c.css'), 'text/css; charset=utf-8');
  for (const path of ['/a', '/a.exe', '/a.constructor', '/a.js/', '/.']) {
    assert.equal(contentType(path), 'application/octet-stream', path);
  }
});

test('the index is served at / too; names with a hash are cached for ever', () => {
  const assets = staticAssets(
    new Map([
      ['/index.html', bytes('<p>')],
      ['/app-3f9c21ab.js', bytes('1')],
      ['/app.js', bytes('2')],
    ]),
  );
  assert.equal(assets.get('/'), assets.get('/index.html'));
  assert.match(assets.get('/app-3f9c21ab.js')!.cacheControl, /immutable/);
  assert.equal(assets.get('/app.js')!.cacheControl, 'no-cache');
  assert.notEqual(assets.get('/app.js')!.etag, assets.get('/')!.etag);
});

test('If-None-Match: lists, weak tags, any', () => {
  const etag = '"abc"';
  for (const header of ['"abc"', 'W/"abc"', '"x", "abc"', '"x",W/"abc"', '*']) {
    assert.equal(etagMatches(header, etag), true, header);
  }
  for (const header of ['', '"ab"', 'abc', '"x"', '"abcd"'])
    assert.equal(etagMatches(header, etag), false, header);
});
