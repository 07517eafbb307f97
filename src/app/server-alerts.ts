import { hostname } from 'node:os';
import { Alarms } from '../actors/index.js';
import type { Runtime } from '../actors/runtime.js';
import { AlertBook } from '../metrics/alerts/alert-book.js';
import { alertGroup } from '../metrics/alerts/alert-group.js';
import { AlertLimits } from '../metrics/alerts/alert-limits.js';
import { AlertMonitor } from '../metrics/alerts/alert-monitor.js';
import { ALERT_RULES } from '../metrics/alerts/alert-rules.js';
import { type AlertNotice, type AlertSink, noticeLine } from '../metrics/alerts/alert-sink.js';
import { CommandSink } from '../metrics/alerts/command-sink.js';
import { type AlertEvent, EventCounts } from '../metrics/alerts/event-counts.js';
import { FigureWatch } from '../metrics/alerts/figure-watch.js';
import { Silences } from '../metrics/alerts/silences.js';
import { WebhookSink } from '../metrics/alerts/webhook-sink.js';
import { GroupReader } from '../metrics/group-reader.js';
import type { Groups } from '../metrics/groups.js';
import type { Action } from '../ops/action.js';
import { alertActions } from '../ops/actions/alert-actions.js';
import type { Clock } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import type { ChildSpec } from '../supervisors/index.js';
import { alertTree } from './alert-tree.js';
import type { Config } from './config.js';
import { heapGroup } from './groups/heap-group.js';
import type { Log } from './log.js';
import type { OperatorLedger } from './operator-ledger.js';
import { parseDuration } from './setting.js';
import { LedgerSilences } from './silence-keeper.js';
import { type BackloggedThread, mainBacklog, ThreadBacklogs } from './thread-backlogs.js';
import type { ThreadQuestions } from './thread-questions.js';
import type { MainTree } from './tree.js';

export interface ServerAlertsParts {
  readonly config: Config;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly groups: Groups;
  readonly questions: ThreadQuestions;
  /** Not opened yet. */
  readonly ledger: OperatorLedger;
  /** Those that there are to be beside this one; none while the server stops. */
  readonly threads: () => readonly BackloggedThread[];
}

/**
 * The alerts of the server. What is wrong is an alarm of the main thread's alarm handler, whose handlers tell whoever is
 * to hear of it.
 */
export class ServerAlerts {
  readonly #parts: ServerAlertsParts;
  readonly #silences = new Silences();
  readonly #events = new EventCounts();
  readonly #limits: AlertLimits;
  readonly #book: AlertBook;
  readonly #sinks: readonly AlertSink[];
  readonly #keeper: LedgerSilences;
  readonly #backlogs: ThreadBacklogs;

  constructor(parts: ServerAlertsParts) {
    const { config, clock, runtime, groups, log } = parts;
    this.#parts = parts;
    this.#limits = new AlertLimits(config, parseDuration);
    this.#book = new AlertBook({
      clock,
      silences: this.#silences,
      limitOf: (rule, label) => this.#limits.of(rule, label),
      alertsPerMinute: () => this.#limits.alertsPerMinute,
      onChange: ({ type, alert }) => {
        // Between two incarnations of the alarm handler nobody would hear of it.
        if (runtime.whereis(Alarms.name) === undefined) logNotice(log, { type, alert: alert.view() });
        else if (type === 'raised') Alarms.set(runtime, { id: alert, description: alert.line });
        else Alarms.clear(runtime, alert);
      },
    });
    this.#sinks = this.#makeSinks();
    this.#keeper = new LedgerSilences({
      ledger: parts.ledger,
      silences: this.#silences,
      clock,
      changed: () => this.#book.silencesChanged(),
    });
    this.#backlogs = new ThreadBacklogs(parts.questions);
    groups.add(alertGroup(this.#book, ALERT_RULES)).add(heapGroup(() => this.#backlogs.heaps));
  }

  start(tree: MainTree): void {
    tree.addOptional(this.#specification(), (reason) => {
      this.#parts.log.error(
        { reason },
        'the alerts have ended too often: nobody looks any more whether anything is wrong',
      );
    });
  }

  actions(): readonly Action[] {
    const { clock, groups } = this.#parts;
    return alertActions({
      clock,
      book: this.#book,
      silences: this.#silences,
      rules: ALERT_RULES,
      limitOf: (rule) => this.#limits.of(rule, null),
      blind: () => new FigureWatch(ALERT_RULES).blind(groups.describe()),
      keeper: this.#keeper,
    });
  }

  /** A thread reports something that is wrong if it comes often. */
  record(event: AlertEvent): void {
    this.#events.record(event, this.#parts.clock.now());
  }

  #specification(): ChildSpec {
    const { groups, threads, runtime } = this.#parts;
    const main = mainBacklog(runtime);
    const monitor = AlertMonitor.process({
      rules: ALERT_RULES,
      book: this.#book,
      events: this.#events,
      figures: new GroupReader(groups),
      backlogs: () => [main, ...threads().map((thread) => this.#backlogs.of(thread))],
    });
    return alertTree(this.#sinks, monitor);
  }

  #makeSinks(): readonly AlertSink[] {
    const { config, clock, random, log } = this.#parts;
    const { alertWebhook, alertCommand } = config;
    const server = hostname();
    const sinks: AlertSink[] = [{ name: 'log', notice: (notice) => logNotice(log, notice) }];
    const failed = (sink: string) => (message: string) => log.error({ sink }, message);
    if (alertWebhook !== '') {
      const url = new URL(alertWebhook);
      sinks.push(new WebhookSink({ url, server, clock, random, onFailure: failed('webhook') }));
    }
    if (alertCommand !== '') {
      sinks.push(new CommandSink({ path: alertCommand, server, onFailure: failed('command') }));
    }
    return sinks;
  }
}

function logNotice(log: Log, notice: AlertNotice): void {
  const { alert, type } = notice;
  const { id, rules, severity, subject, label } = alert;
  const fields = {
    alert: id,
    state: type,
    severity,
    rules: rules.join(','),
    subject,
    ...(label === null ? {} : { label }),
    ...alert.details,
  };
  if (type === 'cleared') log.info({ alert: id, state: type, subject }, noticeLine(notice));
  else if (severity === 'critical') log.error(fields, noticeLine(notice));
  else log.warn(fields, noticeLine(notice));
}
