/** What the README tells a newcomer to do, with the real programs: two terminals and a server that is killed; ten lines. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { register } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { OutputLines } from '../support/output-lines.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ROOT, spawnRookery, TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

/** A child process with its lines. */
class Program {
  readonly lines = new OutputLines();
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #seen = 0;

  constructor(t: TestContext, child: ChildProcess) {
    this.#child = child;
    this.lines.follow(child.stdout!);
    this.lines.follow(child.stderr!);
    this.ended = new Promise((resolve) => child.once('close', resolve));
    atEnd(t, () => {
      child.kill('SIGKILL');
      return this.ended;
    });
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  kill(): Promise<number | null> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }

  /** The next line that fits. */
  async says(pattern: RegExp): Promise<string> {
    const line = await within(`${pattern}`, this.lines.find(pattern, this.#seen));
    this.#seen = this.lines.all.indexOf(line) + 1;
    return line.text;
  }
}

test('two terminals chat; one is stopped, the server is killed, and its messages are found', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t);
  const profiles = temporaryFolder(t);
  const chat = (phone: number, name: string) => {
    const args = ['--server', `ws://127.0.0.1:${server.port}`, '--profiles', profiles, '--plain'];
    return new Program(t, spawnRookery(['chat', ...args, '--phone', `+${phone}`, '--name', name]));
  };
  const registered = async (phone: number, name: string) => {
    const line = server.lines.all.length;
    const program = chat(phone, name);
    await program.says(/^\? PIN/);
    program.say(await server.pin(phone, line));
    await program.says(/^\* online/);
    return program;
  };
  const ALICE = 15_550_301;
  const BOB = 15_550_302;
  const alice = await registered(ALICE, 'Alice');
  const bob = await registered(BOB, 'Bob');
  alice.say(`/to +${BOB}`);
  bob.say(`/to +${ALICE}`);
  alice.say('hello Bob');
  await bob.says(/^< 15550301 .*hello Bob$/);
  await alice.says(/^> 15550302 .* delivered$/);
  bob.say('/read');
  await alice.says(/^> 15550302 .* read$/);
  bob.say('hello Alice');
  await alice.says(/^< 15550302 .*hello Alice$/);

  // Bob is stopped, Alice sends to him, the server is killed and started again on the same port.
  await bob.kill();
  alice.say('are you there?');
  await alice.says(/^> 15550302 .* sent$/);
  const { port } = server;
  await server.kill();
  await alice.says(/^\* (?!online)/);
  alice.say('said while the server was dead');
  await server.start({ port });
  await alice.says(/^\* online/);
  await alice.says(/^> 15550302 .* sent$/);
  const again = chat(BOB, 'Bob');
  await again.says(/^< 15550301 .*are you there\?$/);
  await again.says(/^< 15550301 .*said while the server was dead$/);
  await alice.says(/^> 15550302 .* delivered$/);

  alice.endInput();
  assert.equal(await within('the end of the terminal client', alice.ended), 0, alice.lines.tail());
  const texts = again.lines.all.filter((line) => line.text.startsWith('<'));
  assert.equal(texts.length, 2, 'each message came once');
});

test('the ten lines of the README run', { timeout: 60_000 }, async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const example = /## Ten lines of client\n.*?```js\n(.*?)```/s.exec(readme)?.[1];
  assert.ok(example, 'README.md has ten lines of client');
  assert.ok(example.trimEnd().split('\n').length <= 15);
  const server = await TestServer.start(t);
  const bob = new ReliablePeer(server, await register(server, 15_550_002), { ackEvery: 1 });
  bob.run();
  atEnd(t, () => bob.stop());

  // Within the package, so that `rookery/…` is the package itself; everything else is left as the README has it.
  const file = join(ROOT, 'dist', `readme-example-${process.pid}.mjs`);
  atEnd(t, () => rmSync(file, { force: true }));
  const port = String(server.port);
  writeFileSync(file, example.replace('8470', port));
  const line = server.lines.all.length;
  const program = new Program(
    t,
    spawn(process.execPath, [file], { cwd: temporaryFolder(t), stdio: ['pipe', 'pipe', 'pipe'] }),
  );
  // A program that ends in an error says so here, and not by a PIN that never comes.
  const pin = await Promise.race([
    server.pin(15_550_001, line),
    program.ended.then((code) => Promise.reject(new Error(`ended with ${code}:\n${program.lines.text()}`))),
  ]);
  program.say(pin);
  await program.says(/sent/);
  await program.says(/delivered/);
  await within(
    'the message',
    new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (bob.accepted.length === 0) return;
        clearInterval(timer);
        resolve();
      }, 10);
    }),
  );
  assert.deepEqual(
    bob.accepted.map(({ from, body }) => ({ from, body })),
    [{ from: 15_550_001, body: 'hello' }],
  );
});
