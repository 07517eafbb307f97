import type { SmsGateway } from '../../chat/sms-gateway.js';
import { formatPhone } from '../../protocol/index.js';
import type { UserId } from '../../storage/stores.js';
import { smsText } from './command-gateway.js';

const TIMEOUT_MS = 15_000;
/** Requests under way; more are refused. */
const RUNNING_MAX = 256;

/** Posts {phone, pin, text} as JSON to an SMS provider's or one's own URL. A 2xx answer: it was taken. */
export class WebhookGateway implements SmsGateway {
  readonly name: string;
  readonly #url: URL;
  #running = 0;

  constructor(url: URL) {
    this.#url = url;
    this.name = `webhook:${url.origin}`;
  }

  send(user: UserId, pin: string, expiresMs: number, done: (failure: string | null) => void): void {
    if (this.#running >= RUNNING_MAX) {
      done(`${RUNNING_MAX} SMS requests are under way already`);
      return;
    }
    this.#running++;
    fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ phone: formatPhone(user), pin, text: smsText(pin, expiresMs) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
      .then(async (response) => {
        await response.body?.cancel();
        return response.ok ? null : `${this.#url.origin} answered ${response.status}`;
      })
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
      .then((failure) => {
        this.#running--;
        done(failure);
      });
  }
}
