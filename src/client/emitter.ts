/**
 * Typed events. A listener that throws does not disturb the others or the sender: its error goes to
 * `onListenerError`.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, ((event: never) => void)[]>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  /** Returns the function that takes the listener off again. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return () => {
      const list = this.#listeners.get(name);
      if (list !== undefined) {
        const at = list.indexOf(listener);
        if (at >= 0) this.#listeners.set(name, list.toSpliced(at, 1));
      }
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const list = this.#listeners.get(name) as ((event: Events[Name]) => void)[] | undefined;
    if (list === undefined) return;
    for (const listener of list) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}
