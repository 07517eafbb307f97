const KEY = 'rookery-operator-token';

/**
 * The operator's token in this browser. It may come in the address after the `#`, as the log prints it, which no server
 * ever sees; then it must not stay in the history. A `#/…` is a page and no token. All tabs share what is kept.
 */
export class StoredToken {
  #token: string;

  constructor() {
    this.#token = kept();
    this.takeFromAddress();
  }

  /** '': there is none. */
  get value(): string {
    return this.#token;
  }

  /** Takes a token that stands in the address, also of a page that is open already. @returns false: there is none */
  takeFromAddress(): boolean {
    const fragment = location.hash.slice(1).replace(/^token=/, '');
    if (fragment === '' || fragment.startsWith('/')) return false;
    this.#token = fragment;
    history.replaceState(null, '', location.pathname);
    return true;
  }

  /** Not kept before the server has taken it: see {@link keep}. */
  try(token: string): void {
    this.#token = token;
  }

  keep(): void {
    if (kept() !== this.#token) localStorage.setItem(KEY, this.#token);
  }

  /** For all tabs: they hear of it by {@link onOther}. */
  forget(): void {
    localStorage.removeItem(KEY);
    this.#token = '';
  }

  /**
   * The server did not take it. What another tab has got from it meanwhile is not forgotten with it, but taken.
   *
   * @returns true: there is another one to be tried
   */
  refused(): boolean {
    const other = kept();
    if (other === '' || other === this.#token) {
      this.forget();
      return false;
    }
    this.#token = other;
    return true;
  }

  /** Called when another tab has kept a token, or forgotten the one that is used here, too: then `value` is ''. */
  onOther(changed: () => void): void {
    addEventListener('storage', ({ key, oldValue, newValue }) => {
      if (key !== KEY) return;
      if (newValue === null ? oldValue !== this.#token : this.#token !== '') return;
      this.#token = newValue ?? '';
      changed();
    });
  }
}

function kept(): string {
  return localStorage.getItem(KEY) ?? '';
}
