import type { Silence, Silences } from '../metrics/alerts/silences.js';
import { ActionRefused, type Asker } from '../ops/action.js';
import type { SilenceKeeper } from '../ops/actions/alert-actions.js';
import type { Clock } from '../structures/clock.js';
import { type LedgerEntry, LedgerRefused, type OperatorLedger } from './operator-ledger.js';

const KIND = 'silence';

/** What stands in the ledger; the number of the entry is that of the silence. */
type SilenceData =
  | ({ readonly op: 'add' } & Pick<Silence, 'rule' | 'label' | 'subject' | 'from' | 'until'>)
  | { readonly op: 'remove'; readonly id: number };

export interface LedgerSilencesParts {
  readonly ledger: Pick<OperatorLedger, 'append' | 'subscribe'>;
  readonly silences: Silences;
  readonly clock: Clock;
  /** They are others now. */
  readonly changed: () => void;
}

/** Keeps silences in the operator's ledger: they hold over restarts of the server, until they are over. */
export class LedgerSilences implements SilenceKeeper {
  readonly #parts: LedgerSilencesParts;

  constructor(parts: LedgerSilencesParts) {
    this.#parts = parts;
    parts.ledger.subscribe(KIND, (entry) => this.#take(entry));
  }

  async add(draft: Omit<Silence, 'id'>, asker: Asker): Promise<Silence> {
    const { rule, label, subject, from, until, comment } = draft;
    const number = await this.#append(asker, comment, { op: 'add', rule, label, subject, from, until });
    return { ...draft, id: number };
  }

  async remove({ id }: Silence, asker: Asker): Promise<void> {
    await this.#append(asker, '', { op: 'remove', id });
  }

  async #append({ author, address }: Asker, message: string, data: SilenceData): Promise<number> {
    try {
      return (await this.#parts.ledger.append({ kind: KIND, author, address, message, data })).number;
    } catch (error) {
      if (!(error instanceof LedgerRefused)) throw error;
      const what = error.pending ? 'it does not hold yet' : 'nothing was changed';
      throw new ActionRefused(503, `${what}: ${error.message}`);
    }
  }

  #take({ number, author, message, data }: LedgerEntry): void {
    const { silences, clock, changed } = this.#parts;
    const change = data as SilenceData;
    if (change.op === 'remove') silences.remove(change.id);
    else if (change.until > clock.wall()) {
      const { op: _op, ...silence } = change;
      silences.put({ ...silence, id: number, by: author, comment: message });
    }
    changed();
  }
}
