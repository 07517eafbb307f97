import { createRegistrationMemory, RegistrationLimits } from '../../src/chat/registration-limits.js';
import type { Clock } from '../../src/structures/clock.js';
import { tokenRate } from '../../src/structures/token-bucket.js';

/** Limits of registrations that are out of the way of what a test is about. */
export function roomyRegistrations(clock: Clock): RegistrationLimits {
  const rate = tokenRate(1000, 1000);
  const rates = { addressPinRate: rate, addressTryRate: rate, smsBudget: rate };
  return new RegistrationLimits(createRegistrationMemory(1, 64), rates, () => clock.now());
}
