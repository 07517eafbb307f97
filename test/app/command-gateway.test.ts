import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandGateway } from '../../src/app/sms/command-gateway.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('a command that fails is told of without the PIN, which it was given and may repeat', async (t) => {
  const path = join(temporaryFolder(t), 'send');
  writeFileSync(path, '#!/bin/sh\necho "cannot send $ROOKERY_TEXT to $ROOKERY_PHONE" >&2\nexit 3\n', {
    mode: 0o755,
  });
  const failure = await new Promise<string | null>((done) => {
    new CommandGateway(path).send(4915112345678, '271828', 600_000, done);
  });
  assert.match(failure ?? '', /cannot send .* to \+4915112345678/);
  assert.doesNotMatch(failure ?? '', /271828/);
});

test('a command that succeeds', async (t) => {
  const path = join(temporaryFolder(t), 'send');
  writeFileSync(path, '#!/bin/sh\ntest "$ROOKERY_PIN" = 271828\n', { mode: 0o755 });
  const failure = await new Promise<string | null>((done) => {
    new CommandGateway(path).send(4915112345678, '271828', 600_000, done);
  });
  assert.equal(failure, null);
});
