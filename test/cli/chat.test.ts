/** The terminal client over a real server: as lines, and on a screen. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { ChatSession } from '../../src/cli/chat/chat-session.js';
import { PlainMode } from '../../src/cli/chat/plain-mode.js';
import { ScreenMode } from '../../src/cli/chat/screen-mode.js';
import { palette } from '../../src/cli/chat/screen-view.js';
import { Terminal } from '../../src/cli/chat/terminal.js';
import { Transcript } from '../../src/cli/chat/transcript.js';
import { OutputLines } from '../support/output-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

const ALICE = 491_700_000_001;
const BOB = 491_700_000_002;

/** `rookery chat --plain` without the process. */
class Plain {
  readonly input = new PassThrough();
  readonly lines = new OutputLines();
  readonly exit: Promise<number>;
  readonly #out = new PassThrough();
  #seen = 0;

  private constructor(
    readonly session: ChatSession,
    phone: number,
    name: string,
  ) {
    this.lines.follow(this.#out);
    const mode = new PlainMode(session, phone, name, (line) => this.#out.write(`${line}\n`));
    this.exit = mode.run(this.input).finally(() => session.close());
  }

  static async start(server: TestServer, folder: string, phone: number, name: string): Promise<Plain> {
    const session = await ChatSession.open({
      url: server.url,
      folder: join(folder, String(phone)),
      agent: 'test',
    });
    return new Plain(session, phone, name);
  }

  static async registered(server: TestServer, folder: string, phone: number, name: string): Promise<Plain> {
    const line = server.lines.all.length;
    const plain = await Plain.start(server, folder, phone, name);
    await plain.says(/^\? PIN/);
    plain.say(await server.pin(phone, line));
    await plain.says(/^\* online/);
    return plain;
  }

  say(...lines: string[]): void {
    this.input.write(`${lines.join('\n')}\n`);
  }

  /** The next line that fits. */
  async says(pattern: RegExp): Promise<string> {
    const line = await within(`${pattern}`, this.lines.find(pattern, this.#seen));
    this.#seen = this.lines.all.indexOf(line) + 1;
    return line.text;
  }
}

test('lines: register, send, checkmarks, read, a killed server, the end of the input', async (t: TestContext) => {
  const server = await TestServer.start(t);
  const settings = { port: server.port };
  const folder = temporaryFolder(t);
  const alice = await Plain.registered(server, folder, ALICE, 'Alice');
  const bob = await Plain.registered(server, folder, BOB, 'Bob');
  alice.say(`/to +${BOB}`, 'hello\\nBob');
  await alice.says(/queued$/);
  await alice.says(/sent$/);
  await alice.says(/delivered$/);
  assert.match(await bob.says(/^</), /^< 491700000001 \S+Z hello\\nBob$/);
  bob.say(`/to +${ALICE}`, '/read');
  await alice.says(/read$/);

  await server.kill();
  await alice.says(/^\* no connection/);
  alice.say('while the server is away');
  await alice.says(/queued$/);
  await server.start(settings);
  await bob.says(/while the server is away$/);
  await alice.says(/delivered$/);

  // The end of the input waits for the acknowledgement.
  bob.say('last words');
  bob.input.end();
  assert.equal(await within('the end', bob.exit), 0);
  await alice.says(/last words$/);
  alice.say('/nonsense', '/to 12', '/quit');
  await alice.says(/^! unknown command \/nonsense/);
  await alice.says(/^! not a phone number/);
  assert.equal(await within('the end', alice.exit), 0);

  // A second run of Bob finds what was said, and has nothing to register.
  const again = await Plain.start(server, folder, BOB, '');
  await again.says(/^\* online/);
  assert.deepEqual(
    again.session.lines(ALICE).map(({ text }) => text),
    ['hello\nBob', 'while the server is away', 'last words'],
  );
  assert.equal(again.session.contact(ALICE).name, 'Alice');
  // And one of Alice's number at the same time would cut it off: the profile is locked.
  await assert.rejects(Plain.start(server, folder, BOB, ''), /in use/);
  again.say('/quit');
  await again.exit;
});

/** A terminal of memory: rows as they stand on the screen. */
class FakeTerminal {
  readonly input = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode: (_: boolean) => {},
  });
  readonly output = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 24 });
  readonly rows: string[] = [];
  #changed = (): void => {};
  written = '';

  constructor() {
    this.output.setEncoding('utf8');
    this.output.on('data', (text: string) => {
      this.written += text;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told
      for (const [, row, content] of text.matchAll(/\x1b\[(\d+);1H\x1b\[0m\x1b\[2K([^\x1b]*)/g)) {
        this.rows[Number(row) - 1] = content ?? '';
      }
      this.#changed();
    });
  }

  type(text: string): void {
    this.input.write(text);
  }

  async shows(pattern: RegExp): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#changed = () => {
        if (pattern.test(this.rows.join('\n'))) resolve();
      };
      this.#changed();
    });
    await within(`${pattern} on the screen`, seen).catch((error: Error) => {
      throw new Error(`${error.message}:\n${this.rows.join('\n')}`);
    });
  }
}

test('screen: register, chat, checkmarks turn, and the terminal is given back', async (t: TestContext) => {
  const server = await TestServer.start(t);
  const folder = temporaryFolder(t);
  const bob = await Plain.registered(server, folder, BOB, 'Bob');
  const screen = new FakeTerminal();
  const terminal = new Terminal(screen.input as never, screen.output as never);
  const mode = new ScreenMode(terminal, palette(false), null, null, '', (phone) =>
    ChatSession.open({ url: server.url, folder: join(folder, String(phone)), agent: 'test' }),
  );
  const ended = mode.run().finally(() => mode.session?.close());
  t.after(() => {
    mode.stop();
    bob.input.end();
  });
  await screen.shows(/Your phone number/);
  screen.type('12\r');
  await screen.shows(/country code, please/);
  screen.type('\x15');
  const line = server.lines.all.length;
  screen.type(`+${ALICE}\r`);
  await screen.shows(/Your name/);
  screen.type('Alice\r');
  await screen.shows(/The PIN/);
  screen.type('00000\r');
  await screen.shows(/not right, \d+ tries left/);
  screen.type(`${await server.pin(ALICE, line)}\r`);
  await screen.shows(/● online/);

  screen.type(`+${BOB}\r`);
  await screen.shows(/message to Bob/);
  bob.say(`/to +${ALICE}`);
  // Said again and again, as by whoever types: what comes while she moves to the port of her own scheduler is lost.
  const typing = setInterval(() => bob.say('/typing'), 250);
  t.after(() => clearInterval(typing));
  await screen.shows(/Bob \+491700000002 {2}typing…/);
  clearInterval(typing);
  screen.type('Hi Bob\r');
  await bob.says(/Hi Bob$/);
  await screen.shows(/Hi Bob {2}\d\d:\d\d ✓✓/);
  bob.say('Hi Alice');
  await screen.shows(/\d\d:\d\d {2}Hi Alice/);
  // It was before her eyes.
  await bob.says(/read$/);
  screen.type('/help\r');
  await screen.shows(/open a conversation/);
  screen.type(' ');
  await screen.shows(/Hi Alice/);
  screen.type('\x03');
  await within('the end', ended);
  assert.ok(screen.written.endsWith('\x1b[?1049l'));
  bob.say('/quit');
  await bob.exit;
});

test('a transcript that was cut off in the middle of a line goes on', (t: TestContext) => {
  const path = join(temporaryFolder(t), 'transcript.jsonl');
  const line = {
    peer: BOB,
    isOutgoing: false,
    id: 1,
    messageId: '0000000000000001',
    time: 1,
    text: 'one',
    status: 'delivered',
    failure: null,
  } as const;
  const first = new Transcript(path);
  assert.equal(first.add(line), true);
  assert.equal(first.add(line), false, 'a repeat');
  first.close();
  appendFileSync(path, '{"line":{"peer":49170');
  const second = new Transcript(path);
  assert.equal(second.add(line), false, 'a repeat after a restart');
  second.add({ ...line, messageId: '0000000000000002', text: 'two' });
  second.add({ ...line, isOutgoing: true, id: 9, messageId: null, text: 'mine', status: 'queued' });
  second.advance(BOB, 9, 'sent', null);
  second.close();
  const third = new Transcript(path);
  assert.deepEqual(
    third.lines.map(({ text, status }) => [text, status]),
    [
      ['one', 'delivered'],
      ['two', 'delivered'],
      ['mine', 'sent'],
    ],
  );
  third.close();
  assert.equal(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((text) => text.includes('"one"')).length,
    1,
  );
});
