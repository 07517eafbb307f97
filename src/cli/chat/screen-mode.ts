import { isPin } from '../../protocol/frames/verify.js';
import { parsePhone } from '../../protocol/phone.js';
import { type ChatSession, errorText } from './chat-session.js';
import type { KeyEvent } from './key-reader.js';
import { type EditedLine, EMPTY_LINE, edit, insert, lineOf, lineText } from './line-editor.js';
import type { ScreenModel } from './screen-model.js';
import { type Palette, picture } from './screen-view.js';
import type { Terminal } from './terminal.js';

const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 4_000;

/** Opens the session for a number that was just entered; a profile belongs to one number. */
export type OpenSession = (phone: number) => Promise<ChatSession>;

/** The chat on a full terminal screen. */
export class ScreenMode {
  readonly #terminal: Terminal;
  readonly #colours: Palette;
  readonly #open: OpenSession;
  #session: ChatSession | null;
  #stage: ScreenModel['stage'] = 'phone';
  #phone: number | null;
  #name: string;
  #peer: number | null = null;
  readonly #drafts = new Map<number, EditedLine>();
  #input: EditedLine = EMPTY_LINE;
  #notice = '';
  #scrolledBack = 0;
  #isHelpShown = false;
  #isFocused = true;
  #isBusy = false;
  #isDrawDue = false;
  #typedAt = 0;
  #typingTimer: NodeJS.Timeout | null = null;
  #end: () => void = () => {};

  constructor(
    terminal: Terminal,
    colours: Palette,
    session: ChatSession | null,
    phone: number | null,
    name: string,
    open: OpenSession,
    notice = '',
  ) {
    this.#notice = notice;
    this.#terminal = terminal;
    this.#colours = colours;
    this.#session = session;
    this.#phone = phone;
    this.#name = name;
    this.#open = open;
  }

  /** Resolves when the person quits. The terminal is as it was before. */
  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    this.#terminal.start(
      (event) => this.#key(event),
      () => this.#drawSoon(),
    );
    // Countdowns and the minutes of "last seen".
    const ticks = setInterval(() => this.#drawSoon(), 500);
    try {
      if (this.#session !== null) this.#adopt(this.#session);
      if (this.#phone !== null && this.#session?.user === null) await this.#askForPin(this.#phone);
      this.#drawSoon();
      await ended;
    } finally {
      clearInterval(ticks);
      if (this.#typingTimer !== null) clearTimeout(this.#typingTimer);
      this.#terminal.restore();
    }
  }

  /** Ends, as if the person had quit. */
  stop(): void {
    this.#end();
  }

  get session(): ChatSession | null {
    return this.#session;
  }

  #adopt(session: ChatSession): void {
    this.#session = session;
    session.listen({
      changed: () => {
        this.#markRead();
        this.#drawSoon();
      },
      received: (line) => {
        if (line.peer !== this.#peer || !this.#isFocused) this.#terminal.bell();
      },
      advanced: () => {},
      stateChanged: (state) => {
        if (
          state.kind === 'closed' &&
          (state.reason === 'deviceReplaced' || state.reason === 'badCredentials')
        ) {
          this.#notice = 'This device is not registered any more. /register asks for a new PIN.';
        }
        this.#drawSoon();
      },
      told: (words) => this.#tell(words),
    });
    if (session.user !== null) {
      this.#stage = 'chat';
      session.connect();
      this.#openConversation(session.contacts[0]?.user ?? null);
    }
  }

  #key(event: KeyEvent): void {
    if ('key' in event) {
      if (event.key === 'ctrl-c') {
        this.#end();
        return;
      }
      if (event.key === 'focus' || event.key === 'blur') {
        this.#isFocused = event.key === 'focus';
        this.#markRead();
        return;
      }
      if (event.key === 'ctrl-l') this.#terminal.forget();
    }
    if (this.#isHelpShown) {
      this.#isHelpShown = false;
      this.#drawSoon();
      return;
    }
    if ('text' in event) this.#change(insert(this.#input, event.text));
    else this.#named(event.key);
    this.#drawSoon();
  }

  #named(key: string): void {
    const page = Math.max(1, this.#terminal.rows - 7);
    switch (key) {
      case 'enter':
        void this.#enter();
        return;
      case 'alt-enter':
        this.#change(insert(this.#input, '\n'));
        return;
      case 'escape':
        if (this.#stage === 'pin' || this.#stage === 'name') this.#startOver();
        else this.#scrolledBack = 0;
        return;
      case 'tab':
      case 'alt-down':
        this.#step(1);
        return;
      case 'back-tab':
      case 'alt-up':
        this.#step(-1);
        return;
      case 'page-up':
        this.#scrolledBack += page;
        return;
      case 'page-down':
        this.#scrolledBack = Math.max(0, this.#scrolledBack - page);
        return;
      default:
        this.#change(edit(this.#input, key));
    }
  }

  #change(input: EditedLine): void {
    if (input === this.#input) return;
    this.#input = input;
    const text = lineText(input);
    if (this.#stage === 'chat' && this.#peer !== null && text !== '' && !text.startsWith('/'))
      this.#tellTyping();
  }

  async #enter(): Promise<void> {
    if (this.#isBusy) return;
    const text = lineText(this.#input).trim();
    this.#isBusy = true;
    try {
      if (this.#stage === 'chat') await this.#say(text);
      else await this.#answer(text);
    } catch (error) {
      this.#tell(errorText(error));
    } finally {
      this.#isBusy = false;
      this.#drawSoon();
    }
  }

  // Registration

  async #answer(text: string): Promise<void> {
    switch (this.#stage) {
      case 'phone': {
        const phone = parsePhone(text);
        if (phone === null) this.#tell('A phone number with its country code, please: +49 170 0000001');
        else await this.#askForPin(phone);
        return;
      }
      case 'name':
        this.#name = text;
        this.#stage = 'pin';
        this.#clear();
        return;
      case 'pin': {
        if (!isPin(text)) {
          this.#tell('A PIN has 5 or 6 digits.');
          return;
        }
        this.#input = EMPTY_LINE;
        const session = this.#session!;
        await session.verify(this.#phone!, text, this.#name);
        this.#stage = 'chat';
        this.#clear();
        this.#openConversation(session.contacts[0]?.user ?? null);
        return;
      }
      case 'chat':
        return;
    }
  }

  async #askForPin(phone: number): Promise<void> {
    this.#tell('asking the server…');
    this.#drawSoon();
    try {
      if (this.#session === null || this.#phone !== phone) {
        this.#session?.close();
        this.#session = null;
        this.#phone = phone;
        this.#adopt(await this.#open(phone));
        // The number has a profile here: nothing to register.
        if (this.#session!.user !== null) {
          this.#clear();
          return;
        }
      }
      await this.#session!.register(phone);
      this.#stage = this.#name === '' ? 'name' : 'pin';
      this.#clear();
    } catch (error) {
      this.#stage = 'phone';
      this.#input = lineOf(`+${phone}`);
      this.#tell(errorText(error));
    }
  }

  #startOver(): void {
    this.#stage = 'phone';
    this.#clear();
    if (this.#phone !== null) this.#input = lineOf(`+${this.#phone}`);
  }

  // Chat

  async #say(text: string): Promise<void> {
    const session = this.#session!;
    this.#notice = '';
    this.#scrolledBack = 0;
    if (text === '') return;
    if (text.startsWith('/') && !text.startsWith('//')) {
      const [command = '', ...words] = text.split(/\s+/);
      this.#input = EMPTY_LINE;
      await this.#command(command, words.join(' '));
      return;
    }
    const phone = parsePhone(text);
    if (phone !== null && (this.#peer === null || text.startsWith('+'))) {
      this.#input = EMPTY_LINE;
      this.#openConversation(phone);
      return;
    }
    if (this.#peer === null) {
      this.#tell('Enter the phone number of somebody first.');
      return;
    }
    session.send(this.#peer, text.replace(/^\/\//, '/'));
    this.#input = EMPTY_LINE;
    this.#stopTyping();
  }

  async #command(command: string, rest: string): Promise<void> {
    const session = this.#session!;
    switch (command) {
      case '/quit':
      case '/exit':
        this.#end();
        return;
      case '/help':
        this.#isHelpShown = true;
        return;
      case '/to': {
        const wanted = rest.toLowerCase();
        const peer =
          parsePhone(rest) ??
          session.contacts.find(({ name }) => wanted !== '' && name.toLowerCase().startsWith(wanted))?.user;
        if (peer === undefined) this.#tell(`No contact is called ${rest}. A full number always works.`);
        else this.#openConversation(peer);
        return;
      }
      case '/connect':
      case '/retry':
        if (session.state.kind === 'closed') session.connect();
        else session.retryNow();
        return;
      case '/register':
        if (session.user !== null) await this.#askAgain(session.user);
        return;
      case '/name':
        if (rest === '') this.#tell('/name NAME');
        else {
          await session.rename(rest);
          this.#name = rest;
          this.#tell(`Others see you as ${rest} now.`);
        }
        return;
      case '/info':
        this.#tell(await session.serverInfo());
        return;
      case '/block':
      case '/unblock':
        if (this.#peer === null) return;
        await session.setBlocked(this.#peer, command === '/block');
        this.#tell(
          command === '/block'
            ? 'You take no messages from this person now.'
            : 'You take their messages again.',
        );
        return;
      case '/again': {
        const failed =
          this.#peer === null
            ? undefined
            : session.lines(this.#peer).findLast(({ status }) => status === 'failed');
        if (failed === undefined) this.#tell('Nothing failed here.');
        else session.send(failed.peer, failed.text);
        return;
      }
      default:
        this.#tell(`There is no ${command}. /help shows what there is.`);
    }
  }

  async #askAgain(phone: number): Promise<void> {
    await this.#session!.register(phone);
    this.#phone = phone;
    this.#stage = 'pin';
    this.#clear();
  }

  #openConversation(peer: number | null): void {
    if (this.#peer === peer) return;
    this.#stopTyping();
    if (this.#peer !== null) this.#drafts.set(this.#peer, this.#input);
    this.#peer = peer;
    this.#scrolledBack = 0;
    this.#input = (peer === null ? undefined : this.#drafts.get(peer)) ?? EMPTY_LINE;
    if (peer !== null) this.#session?.meet(peer);
    this.#markRead();
  }

  #step(by: number): void {
    const contacts = this.#session?.contacts ?? [];
    if (this.#stage !== 'chat' || contacts.length === 0) return;
    const at = contacts.findIndex(({ user }) => user === this.#peer);
    const next = contacts[(at + by + contacts.length) % contacts.length];
    if (next !== undefined) this.#openConversation(next.user);
  }

  #markRead(): void {
    if (this.#peer === null || !this.#isFocused || this.#stage !== 'chat') return;
    try {
      this.#session?.markRead(this.#peer);
    } catch (error) {
      this.#tell(errorText(error));
    }
  }

  #tellTyping(): void {
    if (this.#typingTimer !== null) clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.#stopTyping(), TYPING_IDLE_MS);
    const now = Date.now();
    if (now - this.#typedAt < TYPING_REPEAT_MS || this.#peer === null) return;
    this.#typedAt = now;
    this.#session?.typing(this.#peer, 'typing');
  }

  #stopTyping(): void {
    if (this.#typingTimer !== null) clearTimeout(this.#typingTimer);
    this.#typingTimer = null;
    if (this.#typedAt === 0 || this.#peer === null) return;
    this.#typedAt = 0;
    this.#session?.typing(this.#peer, 'stopped');
  }

  #clear(): void {
    this.#input = EMPTY_LINE;
    this.#notice = '';
  }

  #tell(words: string): void {
    this.#notice = words;
    this.#drawSoon();
  }

  /** Once for all changes of a turn. */
  #drawSoon(): void {
    if (this.#isDrawDue) return;
    this.#isDrawDue = true;
    setImmediate(() => {
      this.#isDrawDue = false;
      const model = this.#model();
      this.#terminal.draw(picture(model, this.#terminal.columns, this.#terminal.rows, this.#colours));
    });
  }

  #model(): ScreenModel {
    const session = this.#session;
    const contacts = session?.contacts ?? [];
    const peer = this.#peer;
    return {
      stage: this.#stage,
      user: session?.user ?? null,
      state: session?.state ?? { kind: 'idle' },
      now: Date.now(),
      contacts,
      peer: peer === null ? null : (session?.contact(peer) ?? null),
      lines: peer === null ? [] : (session?.lines(peer) ?? []),
      scrolledBack: this.#scrolledBack,
      input: this.#input,
      notice: this.#notice,
      isHelpShown: this.#isHelpShown,
    };
  }
}
