import { execFile } from 'node:child_process';
import type { SmsGateway } from '../../chat/sms-gateway.js';
import { formatPhone } from '../../protocol/index.js';
import type { UserId } from '../../storage/stores.js';

/** How long the program may take. */
const TIMEOUT_MS = 15_000;
/** Programs that may run at the same time; more are refused, so that a hanging gateway cannot pile them up. */
const RUNNING_MAX = 64;

/**
 * Runs a program for each PIN: phone number and text stand in its environment (ROOKERY_PHONE, ROOKERY_PIN,
 * ROOKERY_TEXT), not in its arguments, which every user of the machine could read. Exit code 0: it was taken.
 */
export class CommandGateway implements SmsGateway {
  readonly name: string;
  readonly #path: string;
  #running = 0;

  constructor(path: string) {
    this.#path = path;
    this.name = `command:${path}`;
  }

  send(user: UserId, pin: string, expiresMs: number, done: (failure: string | null) => void): void {
    if (this.#running >= RUNNING_MAX) {
      done(`${RUNNING_MAX} SMS commands are running already`);
      return;
    }
    this.#running++;
    const env = {
      ...process.env,
      ROOKERY_PHONE: formatPhone(user),
      ROOKERY_PIN: pin,
      ROOKERY_TEXT: smsText(pin, expiresMs),
    };
    execFile(this.#path, [], { env, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 }, (error, _out, stderr) => {
      this.#running--;
      if (error === null) done(null);
      // What it says is logged, and the PIN must not be.
      else done(`${error.message.split('\n')[0]} ${stderr}`.replaceAll(pin, '…').slice(0, 300).trim());
    });
  }
}

/** What the phone shows. */
export function smsText(pin: string, expiresMs: number): string {
  return `${pin} is your Rookery PIN. It is good for ${Math.round(expiresMs / 60_000)} minutes.`;
}
