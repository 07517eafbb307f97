const KEY = 'rookery-operator-token';

/**
 * The operator's token in this browser. It may come in the address after the `#`, as the log prints it, which no server
 * ever sees; then it must not stay in the history. A `#/…` is a page and no token.
 */
export class StoredToken {
  #token: string;

  constructor() {
    this.#token = localStorage.getItem(KEY) ?? '';
    const fragment = location.hash.slice(1).replace(/^token=/, '');
    if (fragment === '' || fragment.startsWith('/')) return;
    this.#token = fragment;
    history.replaceState(null, '', location.pathname);
  }

  /** '': there is none. */
  get value(): string {
    return this.#token;
  }

  /** Not kept before the server has taken it: see {@link keep}. */
  try(token: string): void {
    this.#token = token;
  }

  keep(): void {
    localStorage.setItem(KEY, this.#token);
  }

  forget(): void {
    localStorage.removeItem(KEY);
    this.#token = '';
  }
}
