import type { AlertView } from '../../metrics/alerts/alert.js';
import type { AlertBook } from '../../metrics/alerts/alert-book.js';
import type { AlertRule } from '../../metrics/alerts/alert-rules.js';
import { matches, type Silence, type Silences, TooManySilences } from '../../metrics/alerts/silences.js';
import type { Clock } from '../../structures/clock.js';
import { type Action, ActionRefused } from '../action.js';

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
  /** A silence has come or gone. */
  readonly silencesChanged: () => void;
}

const SILENCE_MS_MAX = 365 * 86_400_000;
const TEXT_CHARS_MAX = 200;

/** `alerts`, `alert-ack`, `alert-silence` and `alert-unsilence`. */
export function alertActions(parts: AlertActionsParts): readonly Action[] {
  const { clock, book, silences } = parts;
  return [
    {
      name: 'alerts',
      description: 'What is wrong now, what was lately, what is silenced, and the rules.',
      changes: false,
      run: () => reportOf(parts),
    },
    {
      name: 'alert-ack',
      description: 'Says who looks after an alert: { id, comment? }.',
      changes: true,
      run(params, { author }) {
        const id = numberIn(params, 'id');
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
      run(params, { author }) {
        const rule = textIn(params, 'rule');
        const label = textIn(params, 'label');
        const subject = textIn(params, 'subject');
        if (rule === null && label === null && subject === null)
          throw new ActionRefused(400, 'a rule, a label or a subject is wanted; rule * means all');
        if (rule !== null && !parts.rules.some(({ name }) => matches(rule, name)))
          throw new ActionRefused(
            404,
            `there is no rule "${rule}": there are ${parts.rules.map(({ name }) => name).join(', ')}`,
          );
        const ms = numberIn(params, 'ms');
        if (ms < 1 || ms > SILENCE_MS_MAX)
          throw new ActionRefused(400, `ms must be from 1 to ${SILENCE_MS_MAX} (a year), not ${ms}`);
        const from = clock.wall();
        const comment = textIn(params, 'comment') ?? '';
        try {
          const silence = silences.add({ rule, label, subject, by: author, comment, from, until: from + ms });
          parts.silencesChanged();
          return silence;
        } catch (error) {
          if (!(error instanceof TooManySilences)) throw error;
          throw new ActionRefused(409, error.message);
        }
      },
    },
    {
      name: 'alert-unsilence',
      description: 'Ends a silence before its time: { id }.',
      changes: true,
      run(params) {
        const id = numberIn(params, 'id');
        const silence = silences.remove(id);
        if (silence === null) throw new ActionRefused(404, `there is no silence ${id}`);
        parts.silencesChanged();
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
        isWatched: isOn && !unwatched.has(name),
      };
    }),
  };
}

function textIn(params: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = params[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS_MAX) return value;
  throw new ActionRefused(
    400,
    `${name} must be a text of 1 to ${TEXT_CHARS_MAX} characters, not ${JSON.stringify(value)?.slice(0, 100)}`,
  );
}

function numberIn(params: Readonly<Record<string, unknown>>, name: string): number {
  const value = params[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ActionRefused(400, `${name} must be a whole number, not ${JSON.stringify(value) ?? 'left out'}`);
}
