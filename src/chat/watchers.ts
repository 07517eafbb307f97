/**
 * Who asked for whose presence: two maps that mirror each other, so that both a change of presence and the end
 * of a watcher cost what they touch and nothing more. Empty sets vanish.
 */
export class Watchers<Watcher, Watched> {
  readonly #byWatched = new Map<Watched, Set<Watcher>>();
  readonly #byWatcher = new Map<Watcher, Set<Watched>>();

  /** Returns true when `watcher` watched nothing before. */
  add(watcher: Watcher, watched: Watched): boolean {
    let watchers = this.#byWatched.get(watched);
    if (watchers === undefined) {
      watchers = new Set();
      this.#byWatched.set(watched, watchers);
    }
    watchers.add(watcher);
    const mine = this.#byWatcher.get(watcher);
    if (mine === undefined) {
      this.#byWatcher.set(watcher, new Set([watched]));
      return true;
    }
    mine.add(watched);
    return false;
  }

  /** Returns true when `watcher` watches nothing any more. */
  remove(watcher: Watcher, watched: Watched): boolean {
    this.#unwatch(watcher, watched);
    const mine = this.#byWatcher.get(watcher);
    if (mine === undefined) return true;
    mine.delete(watched);
    if (mine.size > 0) return false;
    this.#byWatcher.delete(watcher);
    return true;
  }

  /** Forgets everything that `watcher` watched. */
  removeWatcher(watcher: Watcher): void {
    const mine = this.#byWatcher.get(watcher);
    if (mine === undefined) return;
    this.#byWatcher.delete(watcher);
    for (const watched of mine) this.#unwatch(watcher, watched);
  }

  of(watched: Watched): ReadonlySet<Watcher> | undefined {
    return this.#byWatched.get(watched);
  }

  watches(watcher: Watcher): boolean {
    return this.#byWatcher.has(watcher);
  }

  get watchedCount(): number {
    return this.#byWatched.size;
  }

  get watcherCount(): number {
    return this.#byWatcher.size;
  }

  #unwatch(watcher: Watcher, watched: Watched): void {
    const watchers = this.#byWatched.get(watched);
    if (watchers === undefined) return;
    watchers.delete(watcher);
    if (watchers.size === 0) this.#byWatched.delete(watched);
  }
}
