import type { Clock } from '../../structures/clock.js';
import type { Random } from '../../structures/random.js';
import { type AlertNotice, type AlertSink, noticeLine } from './alert-sink.js';
import { NoticeQueue } from './notice-queue.js';

/** How long one POST may take. */
const TIMEOUT_MS = 10_000;
/** Tries of one notice: with the pauses between them, about four minutes. */
export const TRIES_MAX = 8;
const PAUSE_MS_MIN = 1000;
const PAUSE_MS_MAX = 60_000;

export interface WebhookSinkOptions {
  readonly url: URL;
  /** Who speaks: for receivers of several servers. */
  readonly server: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A notice was given up, or the first try of one failed. */
  readonly onFailure: (message: string) => void;
}

/** What is POSTed. */
export interface WebhookBody extends AlertNotice {
  readonly version: 1;
  readonly server: string;
  /** For people: `alert.line`, or that it is over. */
  readonly text: string;
  /** Notices before this one that were never sent, since too many waited. */
  readonly dropped: number;
}

/**
 * POSTs each notice as JSON to an URL: one at a time, in order. A 2xx answer: it was taken. 408, 429, 5xx and no answer at
 * all: it is tried again, ever more seldom; any other answer will not become better.
 */
export class WebhookSink implements AlertSink {
  readonly name = 'webhook';
  readonly #options: WebhookSinkOptions;
  readonly #queue: NoticeQueue;

  constructor(options: WebhookSinkOptions) {
    this.#options = options;
    this.#queue = new NoticeQueue((notice, dropped) => this.#send(notice, dropped));
  }

  notice(notice: AlertNotice): void {
    this.#queue.add(notice);
  }

  async #send(notice: AlertNotice, dropped: number): Promise<void> {
    const { url, server, onFailure } = this.#options;
    const content: WebhookBody = { version: 1, server, text: noticeLine(notice), dropped, ...notice };
    const body = JSON.stringify(content);
    for (let tries = 1; ; tries++) {
      const failure = await post(url, body);
      if (failure === null) return;
      const what = `the webhook ${url.origin} was not told of alert ${notice.alert.id}: ${failure.message}`;
      if (!failure.mayPass || tries >= TRIES_MAX) {
        onFailure(`${what}; given up after ${tries} ${tries === 1 ? 'try' : 'tries'}`);
        return;
      }
      if (tries === 1) onFailure(`${what}; it is tried again`);
      await this.#pause(tries);
    }
  }

  /** 1, 2, 4, … seconds, and up to half as much again. */
  #pause(tries: number): Promise<void> {
    const { clock, random } = this.#options;
    const ms = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (tries - 1)) * (1 + random.next() / 2);
    return new Promise((resolve) => void clock.setTimer(resolve, ms));
  }
}

interface Failure {
  readonly message: string;
  readonly mayPass: boolean;
}

async function post(url: URL, body: string): Promise<Failure | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    if (response.ok) return null;
    const { status } = response;
    return { message: `it answered ${status}`, mayPass: status === 408 || status === 429 || status >= 500 };
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
    return { message: why ?? message, mayPass: true };
  }
}
