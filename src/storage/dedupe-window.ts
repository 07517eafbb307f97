import { MESSAGE_ID_WINDOW } from './stores.js';
import { type UserState, WINDOW_WORDS } from './user-state.js';

/**
 * Which of a device's message ids were stored: the sliding window of IPsec's anti-replay check without bit
 * shifting (RFC 6479), with ids in the place of packet numbers.
 *
 *     … gone │ highest−255 ………… highest │ never seen
 *      tooOld │   one bit for each id     │  new
 *
 * Bit and word come from the id itself, so moving on clears words and shifts nothing. The bits are made when
 * the first id is left out: a hundred thousand users who never did need none.
 */
export const DedupeVerdict = { fresh: 0, repeated: 1, tooOld: 2 } as const;
export type DedupeVerdict = (typeof DedupeVerdict)[keyof typeof DedupeVerdict];

/** Highest message id that is judged; above it a client is out of its mind. */
const ID_MAX = Number.MAX_SAFE_INTEGER;
/** A new device starts over at 1 when the old one's numbering came near the end. */
const ID_RESTART = 2 ** 52;

/** Judges an id without changing anything. */
export function judgeMessageId(state: UserState, id: number): DedupeVerdict {
  if (id > state.highest) return id <= ID_MAX ? DedupeVerdict.fresh : DedupeVerdict.tooOld;
  if (id < state.firstMessageId || id <= state.highest - MESSAGE_ID_WINDOW) return DedupeVerdict.tooOld;
  const { window } = state;
  if (window === null) return DedupeVerdict.repeated;
  return (window[wordOf(id)]! & (1 << (id % 32))) !== 0 ? DedupeVerdict.repeated : DedupeVerdict.fresh;
}

/** Remembers an id that was judged fresh. Marking it twice changes nothing. */
export function markMessageId(state: UserState, id: number): void {
  const { highest } = state;
  if (state.window === null) {
    if (id <= highest) return;
    if (id === highest + 1) {
      state.highest = id;
      return;
    }
    state.window = windowWords(state);
  }
  const { window } = state;
  if (id > highest) {
    clearBetween(window, highest, id);
    state.highest = id;
  }
  window[wordOf(id)]! |= 1 << (id % 32);
}

/** Starts the numbering of a new device above everything the old one used. Returns its first id. */
export function restartMessageIds(state: UserState): number {
  const first = state.highest >= ID_RESTART ? 1 : state.highest + 1;
  state.firstMessageId = first;
  state.highest = first - 1;
  state.window = null;
  return first;
}

/** The window's bits as a list of its own, whether or not the state has them. Ids before the device's first are 0. */
export function windowWords(state: UserState): number[] {
  if (state.window !== null) return [...state.window];
  const words: number[] = new Array(WINDOW_WORDS).fill(0);
  for (let id = oldestId(state); id <= state.highest; id++) words[wordOf(id)]! |= 1 << (id % 32);
  return words;
}

/** Takes over bits that {@link windowWords} made; `firstMessageId` and `highest` are set already. */
export function restoreWindow(state: UserState, words: Int32Array): void {
  state.window = null;
  for (let id = oldestId(state); id <= state.highest; id++) {
    if ((words[wordOf(id)]! & (1 << (id % 32))) !== 0) continue;
    state.window = [...words];
    return;
  }
}

function oldestId(state: UserState): number {
  return Math.max(state.firstMessageId, state.highest - MESSAGE_ID_WINDOW + 1);
}

function wordOf(id: number): number {
  return Math.floor(id / 32) % WINDOW_WORDS;
}

/** Clears the bits of the ids above `from` up to and including `to`. */
function clearBetween(window: number[], from: number, to: number): void {
  if (to - from >= MESSAGE_ID_WINDOW) {
    window.fill(0);
    return;
  }
  if (to - from === 1) {
    window[wordOf(to)]! &= ~(1 << (to % 32));
    return;
  }
  for (let id = from + 1; id <= to; id++) window[wordOf(id)]! &= ~(1 << (id % 32));
}
