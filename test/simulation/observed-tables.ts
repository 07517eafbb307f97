import { MemoryTables } from '../../src/storage/memory/memory-tables.js';
import { ReceiptRanges } from '../../src/storage/receipt-ranges.js';
import type { Entry, Seq, UserId } from '../../src/storage/stores.js';
import { type UserState, WINDOW_WORDS } from '../../src/storage/user-state.js';
import type { Sabotage } from './sabotage.js';

const NOBODY: ReadonlySet<UserId> = new Set();

/** The memory store's tables, a little more open, and broken where it is asked for. */
export class ObservedTables extends MemoryTables {
  readonly #sabotage: Sabotage | null;

  constructor(sabotage: Sabotage | null) {
    super();
    this.#sabotage = sabotage;
  }

  pendingSeqs(inbox: UserId): Seq[] {
    const page: Entry[] = [];
    const state = super.user(inbox);
    if (state !== null) super.page(state, 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, page);
    return page.map((entry) => entry.seq);
  }

  override user(user: UserId): UserState | null {
    const state = super.user(user);
    if (this.#sabotage === 'dedupe' && state !== null) state.window = new Array(WINDOW_WORDS).fill(0);
    return state;
  }

  override blocked(state: UserState): ReadonlySet<UserId> {
    return this.#sabotage === 'block' ? NOBODY : super.blocked(state);
  }

  override wipe(inbox: UserState, seq: Seq, upTo: Seq, time: number, ranges: ReceiptRanges): number {
    return super.wipe(inbox, seq, upTo, time, this.#sabotage === 'receipt' ? new ReceiptRanges() : ranges);
  }

  override page(inbox: UserState, after: Seq, countMax: number, bytesMax: number, page: Entry[]): boolean {
    const hasMore = super.page(inbox, after, countMax, bytesMax, page);
    if (this.#sabotage === 'order') page.reverse();
    return hasMore;
  }
}
