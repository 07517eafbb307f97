/**
 * Hints from the surroundings that the network may have come, gone or changed. Hints only: a browser that
 * says "online" may reach nobody, and one that says "offline" may still reach the machine it runs on. So a
 * hint never forbids a try; it makes the client look sooner.
 */
export interface Connectivity {
  /** Calls `listener` at each hint until the returned function is called. */
  watch(listener: (hint: ConnectivityHint) => void): () => void;
}

/**
 * - `better`: try now instead of waiting, and check a connection that seems alive.
 * - `worse`: check the connection now, it may be dead without having said so.
 */
export type ConnectivityHint = 'better' | 'worse';
