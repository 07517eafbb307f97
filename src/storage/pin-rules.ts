import type { StoreLimits } from './stores.js';

const DAY_MS = 24 * 3600 * 1000;
const NO_HASH = new Uint8Array(0);

/** The PINs of one phone number. */
export interface PinState {
  /** Empty: there is none to match (never asked, used up, or tried too often). */
  readonly hash: Uint8Array;
  /** Wall-clock ms at which it was asked for; 0: never. */
  readonly madeAt: number;
  /** Wrong tries at the present PIN. */
  readonly tries: number;
  /** The day (of 24 hours from its first PIN) that `dayCount` counts. */
  readonly dayStart: number;
  readonly dayCount: number;
}

export const NO_PIN: PinState = { hash: NO_HASH, madeAt: 0, tries: 0, dayStart: 0, dayCount: 0 };

/** A PIN was asked for: the state with it, or the time in ms until another may be asked for. */
export function requestPin(
  pin: PinState,
  hash: Uint8Array,
  now: number,
  limits: StoreLimits,
): PinState | number {
  // The very same request once more (a writer that died between commit and answer applies it again).
  if (pin.madeAt === now && sameBytes(pin.hash, hash)) return pin;
  const wait = nextPinMs(pin, now, limits);
  if (wait > 0) return wait;
  const sameDay = pin.dayCount > 0 && isWithin(pin.dayStart, now, DAY_MS);
  return {
    hash: hash.slice(),
    madeAt: now,
    tries: 0,
    dayStart: sameDay ? pin.dayStart : now,
    dayCount: sameDay ? pin.dayCount + 1 : 1,
  };
}

/**
 * Counts one try. `matched` is judged over the whole hash in constant time, and a wrong PIN, an expired one
 * and a number that never asked take the same way to the same answer.
 */
export function tryPin(
  pin: PinState,
  hash: Uint8Array,
  now: number,
  limits: StoreLimits,
): { readonly pin: PinState; readonly matched: boolean; readonly triesLeft: number } {
  const alive =
    pin.hash.length > 0 && pin.tries < limits.pinTriesMax && isWithin(pin.madeAt, now, limits.pinLifeMs);
  const matched = sameBytes(alive ? pin.hash : NO_HASH, hash) && alive;
  if (matched) return { pin: { ...pin, hash: NO_HASH, tries: 0 }, matched, triesLeft: 0 };
  const tries = Math.min(pin.tries + 1, limits.pinTriesMax);
  const dead = tries >= limits.pinTriesMax;
  return {
    // A number that never asked is counted like any other from its first try on.
    pin: {
      ...pin,
      hash: dead ? NO_HASH : pin.hash,
      tries,
      dayStart: pin.dayStart === 0 ? now : pin.dayStart,
    },
    matched,
    triesLeft: limits.pinTriesMax - tries,
  };
}

/** Time in ms until the next PIN may be asked for; 0: now. */
export function nextPinMs(pin: PinState, now: number, limits: StoreLimits): number {
  let wait = 0;
  if (pin.madeAt !== 0 && isWithin(pin.madeAt, now, limits.pinResendMs)) {
    wait = pin.madeAt + limits.pinResendMs - now;
  }
  if (pin.dayCount >= limits.pinsPerDayMax && isWithin(pin.dayStart, now, DAY_MS)) {
    wait = Math.max(wait, pin.dayStart + DAY_MS - now);
  }
  return wait;
}

/** Nothing of it matters any more: neither a living PIN nor a limit. */
export function isPinForgotten(pin: PinState, now: number, limits: StoreLimits): boolean {
  return (
    !isWithin(pin.dayStart, now, DAY_MS) &&
    !isWithin(pin.madeAt, now, Math.max(limits.pinLifeMs, limits.pinResendMs))
  );
}

/** `now` lies less than `spanMs` after `start`; a wall clock that was set back counts as within. */
function isWithin(start: number, now: number, spanMs: number): boolean {
  return now < start + spanMs && now > start - spanMs;
}

/** Compares without stopping at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a[i] ?? 0) ^ b[i]!;
  return difference === 0;
}
