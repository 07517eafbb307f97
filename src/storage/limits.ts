import type { StoreLimits } from './stores.js';

const DAY_MS = 24 * 3600 * 1000;

/** Limits of a server that was told nothing else. */
export const DEFAULT_STORE_LIMITS: StoreLimits = {
  inboxCountMax: 10_000,
  inboxBytesMax: 64 * 1024 * 1024,
  inboxAgeMsMax: 30 * DAY_MS,
  pinTriesMax: 5,
  pinLifeMs: 10 * 60 * 1000,
  pinResendMs: 60 * 1000,
  pinsPerDayMax: 5,
  blockedMax: 1024,
};
