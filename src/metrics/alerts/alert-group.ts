import { counter, gauge } from '../columns.js';
import type { GroupSource, Row } from '../reading.js';
import type { AlertBook } from './alert-book.js';
import type { AlertRule } from './alert-rules.js';

/** The alerts as figures, a row for each rule: this way they reach whatever exports figures. */
export function alertGroup(book: AlertBook, rules: readonly AlertRule[]): GroupSource {
  let quiet: { readonly told: number; readonly rows: readonly Row[] } | null = null;
  return {
    description: {
      name: 'alert',
      version: 1,
      title: 'Alerts',
      instance: 'rule',
      columns: [
        gauge('active', '{alert}', 'Alerts that the rule has part in now, silenced ones included.'),
        gauge('silenced', '{alert}', 'Of them, those that are silenced.'),
        counter('raised', '{alert}', 'Alerts that were told.'),
        counter(
          'crowded',
          '{alert}',
          'Things that were wrong in great numbers, and told in one line together.',
        ),
      ],
    },
    read() {
      const active = book.active();
      const told = sumOf(book.raised) + sumOf(book.crowded);
      const isQuiet = active.length === 0;
      // The same rows again while nothing is wrong and nothing was: whoever takes them sees that at a glance.
      if (quiet !== null && isQuiet && quiet.told === told) return quiet.rows;
      const rows = rules.map(({ name }) => {
        const mine = active.filter((alert) => alert.rules.includes(name));
        return {
          instance: name,
          figures: [
            mine.length,
            mine.filter(({ silenced }) => silenced).length,
            book.raised.get(name) ?? 0,
            book.crowded.get(name) ?? 0,
          ],
        };
      });
      quiet = isQuiet ? { told, rows: Object.freeze(rows) } : null;
      return rows;
    },
  };
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
