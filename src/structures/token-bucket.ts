/**
 * A token bucket in one number, so that a session can carry two of them as plain fields.
 *
 * It is the generic cell rate algorithm (ITU-T I.371): instead of a level and the time of its last change it
 * keeps only the time at which the bucket will be full again. The level follows:
 *
 *     level(now) = burst − max(0, fullAt − now) / msPerToken
 *
 *     let fullAt = 0;                                  // a full bucket
 *     const next = takeTokens(rate, fullAt, clock.now(), 1);
 *     if (next > 0) fullAt = next;                     // taken
 *     else retryAfterMs = -next;                       // refused, and how long until it would not be
 */
export interface TokenRate {
  readonly msPerToken: number;
  /** The time an empty bucket takes to fill. */
  readonly burstMs: number;
}

/** @throws RangeError unless 0 < perSecond and 1 ≤ burst, both finite. */
export function tokenRate(perSecond: number, burst: number): TokenRate {
  if (!(perSecond > 0 && Number.isFinite(perSecond))) {
    throw new RangeError(`A token rate must be above 0 a second, not ${perSecond}`);
  }
  if (!(burst >= 1 && Number.isFinite(burst))) {
    throw new RangeError(`A token bucket must hold at least 1 token, not ${burst}`);
  }
  const msPerToken = 1000 / perSecond;
  return { msPerToken, burstMs: burst * msPerToken };
}

/**
 * Takes `count` tokens from the bucket that is full again at `fullAt` (0: full). All times are of one
 * monotonic clock, in ms, not negative.
 *
 * @returns above 0: taken, and this is the new `fullAt`. 0 or below: refused, nothing changed, and the
 *   negated number is the ms until `count` tokens will be there (Infinity: more than the bucket ever holds).
 */
export function takeTokens(rate: TokenRate, fullAt: number, now: number, count: number): number {
  const costMs = count * rate.msPerToken;
  const next = Math.max(fullAt, now) + costMs;
  const excessMs = next - now - rate.burstMs;
  // The slack forgives rounding of sums (a burst taken in single tokens must come out the same as in one) and of late
  // times, whose last digit may be worth more than the burst's.
  if (excessMs <= rate.burstMs * 1e-9 + next * 1e-15) return next > 0 ? next : Number.MIN_VALUE;
  return costMs > rate.burstMs ? -Infinity : -excessMs;
}

/** The whole and part tokens in the bucket. */
export function tokensLeft(rate: TokenRate, fullAt: number, now: number): number {
  return fullAt > now
    ? Math.max(0, rate.burstMs - (fullAt - now)) / rate.msPerToken
    : rate.burstMs / rate.msPerToken;
}
