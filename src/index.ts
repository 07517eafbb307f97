/** Rookery: OTP's processes, supervisors and behaviours for Node.js. Everything public; see docs/runtime-semantics.md. */
export * from './actors/index.js';
export type { Clock, ClockTimer } from './structures/clock.js';
export type { Random } from './structures/random.js';
export { SeededRandom } from './structures/seeded-random.js';
export { SimulatedClock } from './structures/simulated-clock.js';
export { SystemClock } from './structures/system-clock.js';
export { SystemRandom } from './structures/system-random.js';
export * from './supervisors/index.js';
