import type { AlertView } from '../../metrics/alerts/alert.js';
import type { AlertBook } from '../../metrics/alerts/alert-book.js';
import type { AlertRule } from '../../metrics/alerts/alert-rules.js';
import { inUnit } from '../../metrics/alerts/figure-watch.js';
import { matches, type Silence, type Silences, TooManySilences } from '../../metrics/alerts/silences.js';
import type { Clock } from '../../structures/clock.js';
import { type Action, ActionRefused, type Asker } from '../action.js';
import { integerParam, onlyParams, optionalText } from '../params.js';

/** What `alerts` answers. */
export interface AlertsReport {
  /** Wall-clock ms. */
  readonly at: number;
  /** Newest first. */
  readonly active: readonly AlertView[];
  /** Those that are over, newest first; a few hundred at most. */
  readonly recent: readonly AlertView[];
  readonly silences: readonly Silence[];
  readonly rules: readonly AlertRuleReport[];
}

export interface AlertRuleReport {
  readonly name: string;
  readonly family: string;
  readonly severity: string;
  /** The setting that is its limit, and what it is now; null: the rule is off. */
  readonly setting: string;
  readonly limit: number | null;
  readonly unit: string;
  /** As one reads it. */
  readonly text: string;
  /** False: this server has not the figures that it is about. */
  readonly isWatched: boolean;
}

export interface AlertActionsParts {
  readonly clock: Clock;
  readonly book: AlertBook;
  readonly silences: Silences;
  readonly rules: readonly AlertRule[];
  /** The limit of a rule; Infinity: it is off. */
  readonly limitOf: (rule: AlertRule) => number;
  /** Rules whose figures there are not. */
  readonly blind: () => readonly string[];
  readonly keeper: SilenceKeeper;
}

/** Keeps silences, and has them taken in: they hold when these resolve. Implemented by the composition root. */
export interface SilenceKeeper {
  /** @throws ActionRefused if it cannot be kept */
  add(silence: Omit<Silence, 'id'>, asker: Asker): Promise<Silence>;
  /** @throws ActionRefused if that cannot be kept */
  remove(silence: Silence, asker: Asker): Promise<void>;
}

const SILENCE_MS_MAX = 365 * 86_400_000;
const TEXT_CHARS_MAX = 200;
const ID = { min: 1, max: Number.MAX_SAFE_INTEGER };

/** `alerts`, `alert-ack`, `alert-silence` and `alert-unsilence`. */
export function alertActions(parts: AlertActionsParts): readonly Action[] {
  const { clock, book, silences } = parts;
  return [
    {
      name: 'alerts',
      description: 'What is wrong now, what was lately, what is silenced, and the rules.',
      changes: false,
      run(params) {
        onlyParams(params);
        return reportOf(parts);
      },
    },
    {
      name: 'alert-ack',
      description: 'Says who looks after an alert: { id, comment? }.',
      changes: true,
      run(params, { author }) {
        onlyParams(params, 'id', 'comment');
        const id = integerParam(params, 'id', ID);
        const alert = book.acknowledge(id, author, textIn(params, 'comment') ?? '');
        if (alert === null) throw new ActionRefused(404, `there is no active alert ${id}`);
        return alert;
      },
    },
    {
      name: 'alert-silence',
      description:
        'Tells nobody of some alerts for a time: { rule?, label?, subject?, ms, comment? }; * stands for any letters.',
      changes: true,
      async run(params, asker) {
        onlyParams(params, 'rule', 'label', 'subject', 'ms', 'comment');
        const rule = textIn(params, 'rule');
        const label = textIn(params, 'label');
        const subject = textIn(params, 'subject');
        if (rule === null && label === null && subject === null)
          throw new ActionRefused(400, 'a rule, a label or a subject is wanted; rule * means all');
        const names = parts.rules.map(({ name }) => name);
        if (rule !== null && !names.some((name) => matches(rule, name)))
          throw new ActionRefused(404, `there is no rule "${rule}": there are ${names.join(', ')}`);
        const ms = integerParam(params, 'ms', { min: 1, max: SILENCE_MS_MAX });
        const from = clock.wall();
        const comment = textIn(params, 'comment') ?? '';
        try {
          silences.checkRoom(from);
        } catch (error) {
          if (!(error instanceof TooManySilences)) throw error;
          throw new ActionRefused(409, error.message);
        }
        const silence = { rule, label, subject, by: asker.author, comment, from, until: from + ms };
        return await parts.keeper.add(silence, asker);
      },
    },
    {
      name: 'alert-unsilence',
      description: 'Ends a silence before its time: { id }.',
      changes: true,
      async run(params, asker) {
        onlyParams(params, 'id');
        const id = integerParam(params, 'id', ID);
        const silence = silences.get(id);
        if (silence === undefined) throw new ActionRefused(404, `there is no silence ${id}`);
        await parts.keeper.remove(silence, asker);
        return silence;
      },
    },
  ];
}

function reportOf({ clock, book, silences, rules, limitOf, blind }: AlertActionsParts): AlertsReport {
  const at = clock.wall();
  silences.expire(at);
  const unwatched = new Set(blind());
  return {
    at,
    active: book.active(),
    recent: book.recent(),
    silences: silences.list(),
    rules: rules.map((rule) => {
      const { name, family, severity, limit: setting, unit } = rule;
      const limit = limitOf(rule);
      const isOn = Number.isFinite(limit);
      return {
        name,
        family,
        severity,
        setting,
        limit: isOn ? limit : null,
        unit,
        text: isOn ? inUnit(limit, unit) : 'off',
        isWatched: isOn && !unwatched.has(name),
      };
    }),
  };
}

function textIn(params: Readonly<Record<string, unknown>>, name: string): string | null {
  const text = optionalText(params, name);
  if (text === null || text.length <= TEXT_CHARS_MAX) return text;
  throw new ActionRefused(400, `${name} must have at most ${TEXT_CHARS_MAX} characters, not ${text.length}`);
}
