import { type NativeCollector, placesOf, type StatsBlock } from '../../schedulers/index.js';
import type { Clock, ClockTimer } from '../../structures/clock.js';
import { GC_COUNTERS, type GcCounter } from './gc-counters.js';

/** How often a deferral is looked at. */
const LOOK_MS = 250;
/** V8 ends a deferral of 7 s by itself: after so much it is begun anew. */
const RENEW_MS = 5000;

/** The heap of this thread. */
export interface HeapUse {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export interface DeferralLimits {
  /** Whether full collections are deferred at all. */
  enabled: boolean;
  /** The longest that one deferral may take; as long again it rests. */
  msMax: number;
  /** Share of the heap's limit in use, from 0 to 1, from which on nothing is deferred; again below three quarters of it. */
  heapShareMax: number;
}

export interface DeferralParts {
  readonly clock: Clock;
  /** Null: nothing can be deferred here. */
  readonly collector: NativeCollector | null;
  readonly heap: () => HeapUse;
  /** Messages outside of the heap now. */
  readonly spilled: () => number;
  readonly stats: StatsBlock<GcCounter>;
  readonly limits: DeferralLimits;
}

/**
 * Puts off full collections while mailboxes are long: from the moment when one begins to leave the heap until nothing of
 * any is outside any more, but for no longer than its ceilings allow. A timer runs only meanwhile.
 */
export class GcDeferral {
  /** May be changed at any time; effective at the next look. */
  readonly limits: DeferralLimits;
  readonly #parts: DeferralParts;
  readonly #values: Float64Array;
  readonly #places: Readonly<Record<GcCounter, number>>;
  #timer: ClockTimer | null = null;
  #deferring = false;
  #grew = false;
  #began = 0;
  #renewed = 0;
  #looked = 0;
  /** Nothing is deferred before. */
  #restUntil = Number.NEGATIVE_INFINITY;
  /** The heap was too full, and is until it is below three quarters of that. */
  #full = false;

  constructor(parts: DeferralParts) {
    this.#parts = parts;
    this.limits = parts.limits;
    this.#values = parts.stats.values;
    this.#places = placesOf(parts.stats.names, GC_COUNTERS);
    this.#set('canDefer', parts.collector === null ? 0 : 1);
    this.#set('deferring', 0);
  }

  get deferring(): boolean {
    return this.#deferring;
  }

  /** A mailbox is long and grows. Cheap: called again and again. */
  grows(): void {
    this.#grew = true;
    if (this.#timer !== null || this.#parts.collector === null || !this.limits.enabled) return;
    this.#looked = this.#parts.clock.now();
    if (this.#mayBegin(this.#looked)) this.#begin(this.#looked);
    this.#wait();
  }

  /** Ends a deferral that is under way, and looks no more. */
  stop(): void {
    if (this.#timer !== null) this.#parts.clock.clearTimer(this.#timer);
    this.#timer = null;
    if (this.#deferring) this.#end(this.#parts.clock.now());
  }

  #wait(): void {
    this.#timer = this.#parts.clock.setTimer(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    const now = this.#parts.clock.now();
    const long = this.#grew || this.#parts.spilled() > 0;
    this.#grew = false;
    this.#timer = null;
    if (this.#deferring) {
      this.#count('deferredMs', now - this.#looked);
      this.#looked = now;
      if (!long || !this.limits.enabled) this.#end(now);
      else if (this.#tooFull() || now - this.#began >= this.limits.msMax) this.#cut(now);
      else if (now - this.#renewed >= RENEW_MS) this.#renew(now);
    } else if (long && this.limits.enabled && this.#mayBegin(now)) {
      this.#looked = now;
      this.#begin(now);
    }
    if (long && this.limits.enabled) this.#wait();
  }

  #mayBegin(now: number): boolean {
    return now >= this.#restUntil && !this.#tooFull();
  }

  #tooFull(): boolean {
    const { usedBytes, limitBytes } = this.#parts.heap();
    const share = usedBytes / limitBytes;
    const { heapShareMax } = this.limits;
    this.#full = share >= heapShareMax * (this.#full ? 0.75 : 1);
    return this.#full;
  }

  #begin(now: number): void {
    this.#deferring = true;
    this.#began = now;
    this.#set('deferring', 1);
    this.#count('deferrals', 1);
    this.#renewed = now;
    this.#parts.collector!.defer(true);
  }

  #renew(now: number): void {
    this.#renewed = now;
    this.#parts.collector!.defer(false);
    this.#parts.collector!.defer(true);
  }

  /** At a ceiling. */
  #cut(now: number): void {
    this.#count('deferralsCut', 1);
    this.#restUntil = now + this.limits.msMax;
    this.#end(now);
  }

  #end(now: number): void {
    this.#count('deferredMs', now - this.#looked);
    this.#looked = now;
    this.#deferring = false;
    this.#set('deferring', 0);
    this.#parts.collector!.defer(false);
  }

  #count(name: GcCounter, by: number): void {
    this.#values[this.#places[name]]! += by;
  }

  #set(name: GcCounter, to: number): void {
    this.#values[this.#places[name]] = to;
  }
}
