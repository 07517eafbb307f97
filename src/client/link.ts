import { CloseCode, mayReconnect } from '../protocol/close-code.js';
import type { GoAway } from '../protocol/frames/go-away.js';
import type { Home } from '../protocol/frames/home.js';
import { type Welcome, WelcomeState } from '../protocol/frames/welcome.js';
import { PROTOCOL_VERSION } from '../protocol/limits.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { ClientSocketFactory } from './client-socket.js';
import type { ClientState, ClosedReason, Ending } from './client-state.js';
import type { Credentials, Cursor } from './client-store.js';
import { Connection, type ConnectionLife, type ConnectionTraffic } from './connection.js';
import type { ConnectivityHint } from './connectivity.js';
import { HomePorts } from './home-ports.js';
import type { ReconnectDelay } from './reconnect-delay.js';

export interface LinkOptions {
  readonly url: string;
  readonly agent: string;
  readonly followHomePort: boolean;
  readonly openTimeoutMs: number;
  readonly stableMs: number;
}

export interface LinkOwner extends ConnectionTraffic {
  credentials(): Credentials | null;
  /** The cursor that the store has. */
  storedCursor(): Cursor;
  stateChanged(state: ClientState): void;
  /** WELCOME for a registered device: traffic may flow. */
  online(connection: Connection, welcome: Welcome): void;
  /** WELCOME without credentials: REGISTER and VERIFY may flow. */
  anonymous(connection: Connection): void;
  /** The connection that was online or anonymous (or on its way there) is gone. */
  lost(ending: Ending): void;
  /** Whether something is in flight that a change of connections would disturb. */
  isBusy(): boolean;
  /** {@link Link.isLeaving} is false again. */
  stays(): void;
}

const Wish = { nothing: 0, registered: 1, anonymous: 2 } as const;
type Wish = (typeof Wish)[keyof typeof Wish];

/**
 * Keeps one connection up: when to try, where, and when to stop trying.
 *
 *            connect            WELCOME
 *     idle ─────────▶ connecting ─────▶ online
 *                       ▲    │ lost       │ lost
 *                       │    ▼            ▼
 *                       └─ waiting ◀──────┤
 *                                         ▼  a close that trying again does not cure
 *                                       closed
 *
 * A server that answers with a home port is left for that port once a second connection, made beside the
 * first, has opened; if it does not open, the first stays.
 */
export class Link implements ConnectionLife {
  readonly #options: LinkOptions;
  readonly #sockets: ClientSocketFactory;
  readonly #clock: Clock;
  readonly #delay: ReconnectDelay;
  readonly #owner: LinkOwner;
  #state: ClientState = { kind: 'idle' };
  #wish: Wish = Wish.nothing;
  #connection: Connection | null = null;
  #isWelcome = false;
  /** On its way to the home port, beside the connection. */
  #scout: Connection | null = null;
  #isScoutOpen = false;
  #scoutTimer: ClockTimer | null = null;
  readonly #homes: HomePorts;
  /** Until the client moves to the home port. */
  #homeTimer: ClockTimer | null = null;
  #goAway: GoAway | null = null;
  #retryAfterMs = 0;
  #nextUrl: string | null = null;
  #openTimer: ClockTimer | null = null;
  #stableTimer: ClockTimer | null = null;
  #retryTimer: ClockTimer | null = null;
  /** Clock time before which the server does not want to see us. */
  #notBefore = 0;

  constructor(
    options: LinkOptions,
    sockets: ClientSocketFactory,
    clock: Clock,
    delay: ReconnectDelay,
    owner: LinkOwner,
  ) {
    this.#options = options;
    this.#sockets = sockets;
    this.#clock = clock;
    this.#homes = new HomePorts(clock);
    this.#delay = delay;
    this.#owner = owner;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Nothing new is sent on this connection: the server is going away, or another one is about to replace it. */
  get isLeaving(): boolean {
    return this.#goAway !== null || this.#isScoutOpen;
  }

  /** What was in flight has arrived: a good moment to change connections. */
  quiet(): void {
    if (this.#isScoutOpen && !this.#owner.isBusy()) this.#moveHome();
  }

  connect(): void {
    if (this.#owner.credentials() === null) {
      this.#become({ kind: 'closed', reason: 'notRegistered', ending: null });
      return;
    }
    if (this.#wish === Wish.registered && this.#state.kind !== 'closed') return;
    this.#wish = Wish.registered;
    this.#drop('connecting anew');
    this.#open();
  }

  /** A connection for registration; `anonymous` follows, or `lost`. */
  connectAnonymously(): void {
    if (this.#wish === Wish.anonymous && this.#connection !== null) {
      if (this.#isWelcome) this.#owner.anonymous(this.#connection);
      return;
    }
    this.#wish = Wish.anonymous;
    this.#drop('registering');
    this.#open();
  }

  /** There are credentials now: use them, on the anonymous connection if it is still there. */
  authenticate(): void {
    this.#wish = Wish.registered;
    if (this.#connection === null) {
      this.#open();
      return;
    }
    this.#become({ kind: 'connecting', attempt: 1 });
    this.#isWelcome = false;
    this.#armOpenTimer(this.#connection);
    this.#hello(this.#connection);
    this.#connection.flush();
  }

  /** Tries now instead of at the end of the wait, unless the server asked for the wait. */
  retryNow(): void {
    if (this.#state.kind !== 'waiting' || this.#retryTimer === null) return;
    const now = this.#clock.now();
    if (now < this.#notBefore) return;
    this.#stopTimer('retry');
    this.#open();
  }

  hint(hint: ConnectivityHint): void {
    if (hint === 'better') this.retryNow();
    this.#connection?.probe();
  }

  /** The server asked for a pause before the next connection. */
  retryAfter(delayMs: number): void {
    this.#retryAfterMs = Math.max(this.#retryAfterMs, delayMs);
  }

  stop(reason: ClosedReason = 'stopped'): void {
    this.#wish = Wish.nothing;
    this.#drop('client stopped');
    this.#become({ kind: 'closed', reason, ending: null });
  }

  // The connection's life.

  opened(connection: Connection): void {
    if (connection === this.#scout) {
      this.#isScoutOpen = true;
      this.quiet();
    } else if (connection === this.#connection) {
      this.#hello(connection);
    }
  }

  welcome(connection: Connection, welcome: Welcome): void {
    if (connection !== this.#connection || this.#isWelcome) return;
    this.#stopTimer('open');
    this.#isWelcome = true;
    if (welcome.state === WelcomeState.anonymous) {
      if (this.#wish === Wish.registered) {
        connection.fail(CloseCode.protocolViolation, 'the server took a registered device for a stranger');
        return;
      }
      this.#become({ kind: 'registering' });
      this.#owner.anonymous(connection);
      return;
    }
    this.#retryAfterMs = 0;
    this.#notBefore = 0;
    this.#homes.reached(connection.url);
    this.#stableTimer = this.#clock.setTimer(() => {
      this.#stableTimer = null;
      this.#delay.reset();
    }, this.#options.stableMs);
    this.#owner.online(connection, welcome);
    this.#become({ kind: 'online' });
    this.#followHome(connection, welcome.homePort, 0);
  }

  home(connection: Connection, { homePort, delayMs }: Home): void {
    if (connection !== this.#connection || !this.#isWelcome || this.#goAway !== null) return;
    this.#followHome(connection, homePort, delayMs);
  }

  goAway(connection: Connection, goAway: GoAway): void {
    if (connection !== this.#connection) return;
    this.#goAway = goAway;
    this.#stopTimer('home');
    this.#stopScout();
    this.#stopTimer('open');
    this.#openTimer = this.#clock.setTimer(() => {
      this.#openTimer = null;
      connection.fail(CloseCode.goingAway, 'the server did not close');
    }, LEAVE_MS_MAX);
  }

  closed(connection: Connection, code: number, reason: string): void {
    if (connection === this.#scout) {
      if (!this.#isScoutOpen) this.#homes.failed(connection.url);
      this.#forgetScout();
      return;
    }
    if (connection !== this.#connection) return;
    // The home port was there once: ask at the front door where it is now, and soon.
    const failedHome = !this.#isWelcome && connection.url === this.#homes.url;
    if (failedHome) {
      this.#homes.failed(connection.url);
      this.#homes.url = null;
    }
    const ending: Ending = { code, reason };
    const goAway = this.#goAway;
    const wish = this.#wish;
    const comesBack = wish === Wish.registered && mayReconnect(code);
    if (!comesBack) this.#wish = Wish.nothing;
    this.#connection = null;
    this.#drop('');
    this.#owner.lost(ending);
    // Who heard of the loss may have asked for something else already.
    if (this.#connection !== null || this.#wish !== (comesBack ? wish : Wish.nothing)) return;
    if (comesBack) this.#wait(ending, goAway, failedHome);
    else if (wish === Wish.anonymous && mayReconnect(code)) this.#become({ kind: 'idle' });
    else this.#become({ kind: 'closed', reason: closedReason(code), ending });
  }

  #open(): void {
    const url = this.#nextUrl ?? this.#homes.usable() ?? this.#options.url;
    this.#nextUrl = null;
    this.#isWelcome = false;
    const connection = new Connection(this.#sockets, url, this.#clock, this, this.#owner);
    this.#connection = connection;
    this.#armOpenTimer(connection);
    this.#become({ kind: 'connecting', attempt: this.#delay.failures + 1 });
  }

  #hello(connection: Connection): void {
    const credentials = this.#wish === Wish.registered ? this.#owner.credentials() : null;
    const cursor = credentials === null ? { epoch: 0, seq: 0 } : this.#owner.storedCursor();
    connection.acked = cursor.seq;
    connection.came = cursor.seq;
    connection.hello({
      versionMin: PROTOCOL_VERSION,
      versionMax: PROTOCOL_VERSION,
      capabilities: 0,
      user: credentials?.user ?? 0,
      device: credentials?.device ?? 0,
      key: credentials?.key ?? NO_KEY,
      epoch: cursor.epoch,
      seq: cursor.seq,
      agent: this.#options.agent,
    });
  }

  #wait(ending: Ending, goAway: GoAway | null, failedHome: boolean): void {
    const attempt = this.#delay.failures + 1;
    const delayMs =
      goAway !== null
        ? goAway.delayMs
        : failedHome
          ? this.#delay.again(this.#retryAfterMs)
          : this.#delay.next(this.#retryAfterMs);
    this.#notBefore = this.#clock.now() + (goAway === null ? this.#retryAfterMs : goAway.delayMs);
    this.#retryAfterMs = 0;
    if (goAway !== null && goAway.host !== '') this.#nextUrl = withHost(this.#options.url, goAway.host);
    this.#retryTimer = this.#clock.setTimer(() => {
      this.#retryTimer = null;
      this.#open();
    }, delayMs);
    this.#become({
      kind: 'waiting',
      retryAt: this.#clock.wall() + Math.ceil(delayMs),
      delayMs,
      attempt,
      ending,
    });
  }

  /** Moves to the home port when the delay is over, and the pause that a failure there has brought. */
  #followHome(connection: Connection, homePort: number, delayMs: number): void {
    if (homePort > 65_535 || !this.#options.followHomePort) return;
    this.#stopTimer('home');
    this.#stopScout();
    const url = homePort === 0 ? connection.url : withPort(connection.url, homePort);
    this.#homes.url = url === this.#options.url ? null : url;
    if (url === connection.url) return;
    const waitMs = Math.max(delayMs, this.#homes.waitMs(url));
    if (waitMs === 0) this.#sendScout(url);
    else {
      this.#homeTimer = this.#clock.setTimer(() => {
        this.#homeTimer = null;
        this.#sendScout(url);
      }, waitMs);
    }
  }

  #sendScout(url: string): void {
    const scout = new Connection(this.#sockets, url, this.#clock, this, this.#owner);
    this.#scout = scout;
    this.#scoutTimer = this.#clock.setTimer(() => {
      this.#scoutTimer = null;
      scout.fail(1006, 'the home port does not answer');
    }, this.#options.openTimeoutMs);
  }

  #moveHome(): void {
    const scout = this.#scout;
    const before = this.#connection;
    if (scout === null || before === null) return;
    this.#stopTimer('scout');
    this.#scout = null;
    this.#isScoutOpen = false;
    this.#connection = scout;
    this.#isWelcome = false;
    before.abandon(1000, 'moving to the home port');
    this.#owner.lost({ code: 1000, reason: 'moving to the home port' });
    if (this.#connection !== scout) return;
    this.#armOpenTimer(scout);
    this.#hello(scout);
    scout.flush();
  }

  #armOpenTimer(connection: Connection): void {
    this.#stopTimer('open');
    this.#openTimer = this.#clock.setTimer(() => {
      this.#openTimer = null;
      connection.fail(1006, 'no welcome in time');
    }, this.#options.openTimeoutMs);
  }

  /** Ends whatever is going on, without a word to the owner except that it is lost. */
  #drop(reason: string): void {
    this.#stopTimer('open');
    this.#stopTimer('stable');
    this.#stopTimer('retry');
    this.#stopTimer('home');
    this.#stopScout();
    this.#goAway = null;
    this.#isWelcome = false;
    const connection = this.#connection;
    if (connection === null) return;
    this.#connection = null;
    connection.abandon(1000, reason);
    this.#owner.lost({ code: 1000, reason });
  }

  #stopScout(): void {
    this.#scout?.abandon(1000, 'not needed');
    this.#forgetScout();
  }

  #forgetScout(): void {
    this.#stopTimer('scout');
    this.#scout = null;
    if (!this.#isScoutOpen) return;
    this.#isScoutOpen = false;
    this.#owner.stays();
  }

  #stopTimer(name: 'open' | 'stable' | 'retry' | 'scout' | 'home'): void {
    let timer: ClockTimer | null;
    switch (name) {
      case 'open':
        timer = this.#openTimer;
        this.#openTimer = null;
        break;
      case 'stable':
        timer = this.#stableTimer;
        this.#stableTimer = null;
        break;
      case 'retry':
        timer = this.#retryTimer;
        this.#retryTimer = null;
        break;
      case 'scout':
        timer = this.#scoutTimer;
        this.#scoutTimer = null;
        break;
      case 'home':
        timer = this.#homeTimer;
        this.#homeTimer = null;
        break;
    }
    if (timer !== null) this.#clock.clearTimer(timer);
  }

  #become(state: ClientState): void {
    if (state.kind === this.#state.kind && (state.kind === 'idle' || state.kind === 'online')) return;
    this.#state = state;
    this.#owner.stateChanged(state);
  }
}

/** A server that said GOAWAY and does not close is left after this long. */
const LEAVE_MS_MAX = 30_000;
const NO_KEY = new Uint8Array(0);

function closedReason(code: number): ClosedReason {
  switch (code) {
    case CloseCode.badCredentials:
      return 'badCredentials';
    case CloseCode.deviceReplaced:
      return 'deviceReplaced';
    case CloseCode.connectionReplaced:
      return 'connectionReplaced';
    case CloseCode.unsupportedVersion:
    case CloseCode.unsupportedFrame:
      return 'unsupported';
    case CloseCode.originRefused:
      return 'originRefused';
    default:
      return 'protocol';
  }
}

function withPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

/** `host` or `host:port`. */
function withHost(url: string, host: string): string {
  const changed = new URL(url);
  changed.host = host;
  return changed.href;
}
