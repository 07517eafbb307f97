/** What the README shows is so: its client runs against the real server, its tree is the one in the code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { register } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { OutputLines } from '../support/output-lines.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { ROOT, TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

const ALICE = 15_550_001;
const BOB = 15_550_002;

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The first code block below a heading. */
function codeBelow(heading: string): string {
  const section = readme.split(`\n## ${heading}\n`)[1];
  const code = section?.split(/^```.*\n/m)[1];
  assert.ok(code !== undefined, `there is no code below “${heading}”`);
  return code.trimEnd();
}

test('the supervision tree is the one of src/app/tree.ts', () => {
  const comment = /^ \* ```\n(.*?)^ \* ```$/ms.exec(readFileSync(join(ROOT, 'src/app/tree.ts'), 'utf8'))?.[1];
  assert.ok(comment !== undefined);
  assert.equal(codeBelow('The supervision tree'), comment.replace(/^ \* ?/gm, '').trimEnd());
});

test('the ten lines of client register, send and follow the checkmarks', async (t) => {
  const server = await TestServer.start(t);
  const bob = await register(server, BOB, 'Bob');
  const phone = await ProtocolClient.login(server.url, bob);
  atEnd(t, () => phone.terminate());

  // Inside the package, so that it finds `rookery` as a project that depends on it does.
  const folder = mkdtempSync(join(ROOT, 'dist/readme-'));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  const script = codeBelow('Ten lines of client');
  assert.match(script, /ws:\/\/127\.0\.0\.1:8470\/ws/);
  writeFileSync(join(folder, 'alice.mjs'), script.replace('ws://127.0.0.1:8470/ws', server.url));
  const line = server.lines.all.length;
  const alice = spawn(process.execPath, ['alice.mjs'], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  atEnd(t, () => alice.kill('SIGKILL'));
  const output = new OutputLines();
  output.follow(alice.stdout);
  output.follow(alice.stderr);

  alice.stdin.write(`${await server.pin(ALICE, line)}\n`);
  await within('the first checkmark', output.find(/sent$/));
  const hello = await phone.next('deliver');
  assert.equal(Buffer.from(hello.body).toString(), 'hello');
  assert.equal(hello.from, ALICE);
  phone.ack(hello.seq);
  await within('the second checkmark', output.find(/delivered$/));
});
