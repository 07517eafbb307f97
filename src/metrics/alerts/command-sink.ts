import { execFile } from 'node:child_process';
import { type AlertNotice, type AlertSink, noticeLine } from './alert-sink.js';
import { NoticeQueue } from './notice-queue.js';

/** How long the program may run before it is killed. */
const TIMEOUT_MS = 15_000;

export interface CommandSinkOptions {
  /** Of the program; it is run without a shell and without arguments. */
  readonly path: string;
  readonly server: string;
  readonly onFailure: (message: string) => void;
  readonly timeoutMs?: number;
}

/**
 * Runs a program for each notice, one at a time: what it is about stands in its environment (ROOKERY_ALERT_TYPE, _ID,
 * _SEVERITY, _FAMILY, _RULES, _SUBJECT, _LABEL, _TEXT, _SERVER, and everything as JSON in ROOKERY_ALERT). Exit code 0: it
 * was taken; anything else is logged, and not tried again.
 */
export class CommandSink implements AlertSink {
  readonly name = 'command';
  readonly #options: CommandSinkOptions;
  readonly #queue: NoticeQueue;

  constructor(options: CommandSinkOptions) {
    this.#options = options;
    this.#queue = new NoticeQueue((notice, dropped) => this.#run(notice, dropped));
  }

  notice(notice: AlertNotice): void {
    this.#queue.add(notice);
  }

  #run(notice: AlertNotice, dropped: number): Promise<void> {
    const { path, server, onFailure, timeoutMs = TIMEOUT_MS } = this.#options;
    const { type, alert } = notice;
    const env = {
      ...process.env,
      ROOKERY_ALERT_TYPE: type,
      ROOKERY_ALERT_ID: String(alert.id),
      ROOKERY_ALERT_SEVERITY: alert.severity,
      ROOKERY_ALERT_FAMILY: alert.family,
      ROOKERY_ALERT_RULES: alert.rules.join(','),
      ROOKERY_ALERT_SUBJECT: alert.subject,
      ROOKERY_ALERT_LABEL: alert.label ?? '',
      ROOKERY_ALERT_TEXT: noticeLine(notice),
      ROOKERY_ALERT_SERVER: server,
      ROOKERY_ALERT: JSON.stringify({ ...notice, dropped }),
    };
    const options = { env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 } as const;
    return new Promise((resolve) => {
      execFile(path, [], options, (error, _out, stderr) => {
        if (error !== null) {
          const why =
            error.killed === true ? `killed after ${timeoutMs} ms` : (error.message.split('\n')[0] ?? '');
          onFailure(
            `the command ${path} did not take alert ${alert.id}: ${why} ${stderr}`.slice(0, 500).trim(),
          );
        }
        resolve();
      });
    });
  }
}
