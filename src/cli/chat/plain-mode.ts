import { createInterface } from 'node:readline';
import { isPin } from '../../protocol/frames/verify.js';
import { parsePhone } from '../../protocol/phone.js';
import { type ChatSession, errorText, stateText } from './chat-session.js';
import type { ChatLine } from './transcript.js';

/** How long the end of the input waits for messages to be taken by the server. */
const DRAIN_MS_MAX = 10_000;

export const PLAIN_MODE_HELP = `Without a terminal, or with --plain, lines go in and out, for scripts.

In:   /to NUMBER     who the following lines are for
      /read          mark what NUMBER wrote as read
      /typing        tell NUMBER that something is being written
      /info          what the server says of itself
      /wait          go on when the server has everything that was sent
      /quit          end now; the end of the input waits for the server first
      anything else  a message; \\n in it is a new line, \\\\ a backslash, // at the beginning a slash
      While a PIN is asked for, the next line is the PIN.

Out:  * WORDS                      the connection: online, connecting…, no connection …
      < NUMBER TIME TEXT           a message
      > NUMBER ID STATUS [WHY]     a step of one of yours: queued, sent, delivered, read, failed
      ? WORDS                      an answer is wanted
      ! WORDS                      something went wrong`;

/**
 * Lines in, lines out. Every line of output begins with a sign that says what it is; texts are escaped so
 * that each is one line.
 *
 * @returns the exit code: 0, or 1 when messages are left unsent (they stay in the outbox) or registration failed
 */
export class PlainMode {
  readonly #session: ChatSession;
  readonly #out: (line: string) => void;
  readonly #name: string;
  #peer: number | null = null;
  #phone: number | null;
  #isPinWanted = false;
  #lastState = '';
  #isQuiet = false;
  #onSettled: (() => void) | null = null;
  #end: (code: number) => void = () => {};

  constructor(session: ChatSession, phone: number | null, name: string, out: (line: string) => void) {
    this.#session = session;
    this.#phone = phone;
    this.#name = name;
    this.#out = out;
    session.listen({
      changed: () => {},
      received: (line) =>
        this.#out(`< ${line.peer} ${new Date(line.time).toISOString()} ${escaped(line.text)}`),
      advanced: (line) => {
        this.#step(line);
        this.#settle();
      },
      stateChanged: () => this.#showState(),
      told: (words) => this.#out(`! ${words}`),
    });
  }

  async run(input: NodeJS.ReadableStream): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    if (this.#session.user === null) await this.#register();
    else this.#session.connect();
    const lines = createInterface({ input });
    void this.#readAll(lines);
    const code = await ended;
    lines.close();
    this.#isQuiet = true;
    return code;
  }

  async #readAll(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      try {
        if (await this.#take(line)) {
          this.#end(0);
          return;
        }
      } catch (error) {
        this.#out(`! ${errorText(error)}`);
      }
    }
    await this.#drained();
    const left = this.#session.unsentCount;
    if (left > 0) this.#out(`! ${left} not sent yet: kept for the next time`);
    this.#end(left > 0 || this.#session.user === null ? 1 : 0);
  }

  /** True: quit. */
  async #take(line: string): Promise<boolean> {
    if (this.#isPinWanted) {
      await this.#verify(line.trim());
      return false;
    }
    const [command = '', ...words] = line.trim().split(/\s+/);
    const rest = words.join(' ');
    switch (command) {
      case '':
        return false;
      case '/quit':
        return true;
      case '/to': {
        const peer = parsePhone(rest);
        if (peer === null) this.#out(`! not a phone number: ${rest}`);
        else {
          this.#peer = peer;
          this.#session.meet(peer);
        }
        return false;
      }
      case '/read':
        if (this.#peer !== null) this.#session.markRead(this.#peer);
        return false;
      case '/typing':
        if (this.#peer !== null) this.#session.typing(this.#peer, 'typing');
        return false;
      case '/info':
        await this.#tellOfServer();
        return false;
      case '/wait':
        await this.#drained();
        return false;
    }
    if (command.startsWith('/') && !command.startsWith('//')) {
      this.#out(`! unknown command ${command}`);
      return false;
    }
    if (this.#peer === null) {
      this.#out('! to whom? /to NUMBER');
      return false;
    }
    this.#step(this.#session.send(this.#peer, unescaped(line.replace(/^\/\//, '/'))));
    return false;
  }

  async #tellOfServer(): Promise<void> {
    try {
      this.#out(`* server: ${await this.#session.serverInfo()}`);
    } catch (error) {
      this.#out(`! ${errorText(error)}`);
    }
  }

  async #register(): Promise<void> {
    if (this.#phone === null) {
      this.#out('! not registered: say --phone NUMBER');
      this.#end(1);
      return;
    }
    try {
      await this.#session.register(this.#phone);
      this.#isPinWanted = true;
      this.#out(
        `? PIN for +${this.#phone} (a server without an SMS gateway prints it in its log and on the operator's page)`,
      );
    } catch (error) {
      this.#out(`! ${errorText(error)}`);
      this.#end(1);
    }
  }

  async #verify(pin: string): Promise<void> {
    if (this.#phone === null) return;
    if (!isPin(pin)) {
      this.#out('? a PIN has 5 or 6 digits');
      return;
    }
    await this.#session.verify(this.#phone, pin, this.#name);
    this.#isPinWanted = false;
  }

  #drained(): Promise<void> {
    if (this.#session.unsentCount === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done.bind(this), DRAIN_MS_MAX);
      function done(this: PlainMode): void {
        clearTimeout(timer);
        this.#onSettled = null;
        resolve();
      }
      this.#onSettled = done.bind(this);
    });
  }

  #settle(): void {
    if (this.#session.unsentCount === 0) this.#onSettled?.();
  }

  #step(line: ChatLine): void {
    this.#out(`> ${line.peer} ${line.id} ${line.status}${line.failure === null ? '' : ` ${line.failure}`}`);
  }

  #showState(): void {
    const words = stateText(this.#session.state, Date.now());
    // A run of tries is told as it goes, the same words are not.
    if (this.#isQuiet || words === this.#lastState) return;
    this.#lastState = words;
    this.#out(`* ${words}`);
    if (this.#session.state.kind === 'closed' && this.#session.state.reason !== 'stopped') this.#end(1);
  }
}

/** One line: a backslash is doubled, a new line becomes \n, other controls \xNN (a terminal would obey them). */
export function escaped(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(CONTROLS, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function unescaped(text: string): string {
  return text.replace(/\\(\\|n)/g, (_, sign) => (sign === 'n' ? '\n' : '\\'));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001F\u007F-\u009F]/g;
