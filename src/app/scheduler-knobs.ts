import type { Runtime } from '../actors/runtime.js';
import type { RegistrarOptions } from '../chat/registrar.js';
import type { RegistrationLimits } from '../chat/registration-limits.js';
import type { RingRouter } from '../schedulers/index.js';
import type { LimitedListener } from '../transport/listener.js';
import type { Answers } from './answers.js';
import type { KnobChanges, KnobName, KnobValues } from './knob-values.js';
import { registrationRatesOf } from './limits-of.js';
import { listenerLimitsOf } from './listener-options.js';
import type { SchedulerCollector } from './scheduler-collector.js';

const LISTENER_KNOBS: readonly KnobName[] = [
  'socketBufferBytesMax',
  'connectionsMax',
  'connectionsPerAddressMax',
  'addressConnectsPerSecond',
  'addressConnectsBurst',
  'connectsPerSecond',
  'connectsBurst',
];

export interface SchedulerKnobsParts {
  readonly runtime: Runtime;
  readonly registrar: RegistrarOptions;
  readonly registrations: RegistrationLimits;
  readonly collector: SchedulerCollector;
  readonly router: RingRouter;
  /** The one that is open; null: none is. */
  readonly listener: () => LimitedListener | null;
}

/** What a thread says about knobs, and does when one is turned. */
export function registerKnobs(answers: Answers, knobs: KnobValues): void {
  answers
    .on('knobs', (changes: KnobChanges) => {
      knobs.change(changes);
      return true;
    })
    .on('knobs-used', () => knobs.used);
}

/** Has a scheduler heed its knobs. */
export function heedSchedulerKnobs(knobs: KnobValues, parts: SchedulerKnobsParts): void {
  const { runtime, registrar, registrations, collector, router, listener } = parts;
  knobs
    .use(['sliceMessages', 'sliceMs', 'turnMs'], ({ sliceMessages, sliceMs, turnMs }) => {
      runtime.budgets = { sliceMessages, sliceMs, turnMs };
    })
    .use(['longScheduleMs'], ({ longScheduleMs }) => {
      runtime.longScheduleMs = longScheduleMs;
    })
    .use(['mailboxMax'], ({ mailboxMax }) => {
      runtime.mailboxMax = mailboxMax;
    })
    .use(['ringOverflowBytesMax'], ({ ringOverflowBytesMax }) => {
      router.overflowBytesMax = ringOverflowBytesMax;
    })
    .use(LISTENER_KNOBS, (config) => listener()?.setLimits(listenerLimitsOf(config)))
    .use(['pinDigits', 'pinLifeMs'], ({ pinDigits, pinLifeMs }) => {
      Object.assign(registrar, { pinDigits, pinLifeMs });
    })
    .use(['pinsPerAddressHourMax', 'pinTriesMax', 'smsPerHourMax'], (config) => {
      registrations.rates = registrationRatesOf(config);
    })
    .use(
      [
        'gcMode',
        'mailboxSpillAt',
        'mailboxSpillBytesMax',
        'gcDeferMsMax',
        'gcDeferHeapPercentMax',
        'gcWhenIdle',
      ],
      (config) => collector.set(config),
    );
}
