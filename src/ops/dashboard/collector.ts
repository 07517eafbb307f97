import type { GroupDescription, Reading } from '../../metrics/reading.js';
import type { SentPin, Snapshot } from '../inspector.js';
import { type OperatorApi, Refused } from './operator-api.js';
import { Samples } from './samples.js';
import type { StoredToken } from './stored-token.js';

export const INTERVAL_MS = 1000;
/** Five minutes. */
const SAMPLES_MAX = 300;

/**
 * - `login`: the token is wanted; `refused`: the one that came was wrong;
 * - `opening`: nothing has come yet; `live`: all is as it should be; `lost`: the server does not answer now.
 */
export type CollectorState = 'login' | 'refused' | 'opening' | 'live' | 'lost';

/**
 * The one place of the page that asks for figures: once a second while somebody looks, never while the tab is hidden. All
 * pages draw from what it keeps; what a page asks beside it (a list of processes, say) it asks in step with it.
 */
export class Collector {
  readonly api: OperatorApi;
  readonly samples = new Samples(SAMPLES_MAX, INTERVAL_MS);
  state: CollectorState = 'opening';
  /** While it is `lost`: why, in words. */
  lostBecause = '';
  /** Null: has not come yet. */
  snapshot: Snapshot | null = null;
  /** What is known of the figures beforehand. */
  groups: readonly GroupDescription[] = [];
  /** Null: this server does not show them. */
  pins: readonly SentPin[] | null = null;
  /** Names of what this server can be asked or told; null: not known yet. */
  actions: ReadonlySet<string> | null = null;
  readonly #token: StoredToken;
  readonly #watchers = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #pinsAreMissing = false;
  #groupsAreKnown = false;
  /** Of the next reading: its peaks are to be those since the one before. */
  #since = '';

  constructor(api: OperatorApi, token: StoredToken) {
    this.api = api;
    this.#token = token;
    if (token.value === '') this.state = 'login';
  }

  start(): void {
    addEventListener('hashchange', () => {
      if (!this.#token.takeFromAddress()) return;
      this.state = 'opening';
      void this.#tick();
    });
    this.#token.onOther(() => {
      if (this.#token.value === '') this.#leave();
      else void this.#tick();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.#tick();
      else clearTimeout(this.#timer);
    });
    void this.#tick();
  }

  /** Called after each round, whatever came of it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  login(token: string): void {
    this.#token.try(token);
    this.state = 'opening';
    void this.#tick();
  }

  logout(): void {
    this.#token.forget();
    this.#leave();
  }

  #leave(): void {
    this.snapshot = null;
    this.pins = null;
    this.samples.clear();
    this.#show('login');
  }

  async #tick(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isAsking) return;
    if (this.#token.value === '') {
      if (this.state !== 'refused') this.#show('login');
      return;
    }
    const begun = performance.now();
    this.#isAsking = true;
    let state: CollectorState = 'live';
    const asked = this.#token.value;
    try {
      await this.#ask();
      // Another one was entered meanwhile: what came says nothing of that.
      if (this.#token.value === asked) this.#token.keep();
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        // Entered meanwhile, or renewed in another tab: that one is tried.
        const isThereAnother = this.#token.value !== asked || this.#token.refused();
        state = isThereAnother ? 'opening' : 'refused';
      } else {
        state = 'lost';
        this.lostBecause = inWords(error);
      }
    }
    this.#isAsking = false;
    // Logged out meanwhile: what came is nobody's.
    if (this.#token.value === '' && state !== 'refused') {
      this.#leave();
      return;
    }
    this.#show(state);
    if (state === 'refused' || document.visibilityState !== 'visible') return;
    const leftMs = Math.max(100, INTERVAL_MS - (performance.now() - begun));
    this.#timer = setTimeout(() => void this.#tick(), leftMs);
  }

  async #ask(): Promise<void> {
    if (!this.#groupsAreKnown) await this.#askWhatThereIs();
    const [snapshot, reading] = await Promise.all([
      this.api.get<Snapshot>('/metrics.json'),
      this.groups.length === 0 ? null : this.api.get<Reading>(`/api/reading${this.#since}`),
      this.#askPins(),
    ]);
    // Another server than before may be another version of it, with other columns.
    const isAnotherProcess = this.snapshot !== null && this.snapshot.server.pid !== snapshot.server.pid;
    if (isAnotherProcess || (reading !== null && this.samples.isOfAnother(reading))) {
      this.samples.clear();
      this.#pinsAreMissing = false;
      await this.#askWhatThereIs();
    }
    this.snapshot = snapshot;
    if (reading === null) return;
    this.#since = `?since=${reading.uptimeMs}`;
    this.samples.add(reading);
  }

  async #askWhatThereIs(): Promise<void> {
    const [groups, actions] = await Promise.all([
      this.#orNothing(this.api.get<{ readonly groups: readonly GroupDescription[] }>('/api/groups')),
      this.#orNothing(
        this.api.get<{ readonly actions: readonly { readonly name: string }[] }>('/api/actions'),
      ),
    ]);
    this.groups = groups?.groups ?? [];
    this.samples.describe(this.groups);
    this.actions = new Set(actions?.actions.map(({ name }) => name) ?? []);
    this.#groupsAreKnown = true;
  }

  async #askPins(): Promise<void> {
    if (this.#pinsAreMissing) return;
    const answer = await this.#orNothing(this.api.get<{ readonly pins: readonly SentPin[] }>('/api/pins'));
    this.#pinsAreMissing = answer === null;
    this.pins = answer?.pins ?? null;
  }

  /** Null when this server has no such page. */
  async #orNothing<T>(answer: Promise<T>): Promise<T | null> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return null;
      throw error;
    }
  }

  #show(state: CollectorState): void {
    this.state = state;
    for (const watcher of this.#watchers) watcher();
  }
}

/** What went wrong with a question, for the head of the page. */
function inWords(error: unknown): string {
  if (error instanceof Refused) return error.message;
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'it takes too long to answer';
  return 'nobody answers at this address';
}
