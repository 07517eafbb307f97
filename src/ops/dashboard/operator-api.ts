import type { StoredToken } from './stored-token.js';

/** How long an answer may take. Actions that look for long say how long themselves. */
const ANSWER_MS_MAX = 5000;

/** What is POSTed may take longer: partitions move one after the other. */
const POST_MS_MAX = 60_000;

/** The server refused, in its own words. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    /** The HTTP status. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The operator's port as the page uses it. */
export class OperatorApi {
  readonly #token: StoredToken;

  /** @param author who says what is changed, for the histories and the audit log; '': nobody has said */
  constructor(
    token: StoredToken,
    private readonly author: () => string,
  ) {
    this.#token = token;
  }

  /** `POST /<path>` without a body. @throws as {@link get} */
  post<T>(path: string): Promise<T> {
    return this.#ask<T>(path, { method: 'POST', headers: this.#said() }, POST_MS_MAX);
  }

  #said(): Record<string, string> {
    const author = this.author().trim();
    const said = author === '' ? 'page' : `${author} (page)`;
    return { 'content-type': 'application/json', 'x-rookery-author': encodeURIComponent(said) };
  }

  /**
   * That the answer is a `T` is the server's word.
   *
   * @throws Refused; a TypeError or a DOMException when nobody answers
   */
  get<T>(path: string): Promise<T> {
    return this.#ask<T>(path, { method: 'GET' }, ANSWER_MS_MAX);
  }

  /** `POST /api/action/<name>`. @throws as {@link get} */
  action<T>(name: string, params: object = {}, answerMsMax: number = ANSWER_MS_MAX): Promise<T> {
    const init = {
      method: 'POST',
      headers: this.#said(),
      body: JSON.stringify(params),
    };
    return this.#ask<T>(`/api/action/${name}`, init, answerMsMax);
  }

  async #ask<T>(path: string, init: RequestInit, answerMsMax: number): Promise<T> {
    const response = await fetch(path, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${this.#token.value}` },
      signal: AbortSignal.timeout(answerMsMax),
    });
    if (response.ok) return (await response.json()) as T;
    const answer = (await response.json().catch(() => ({}))) as { readonly error?: string };
    throw new Refused(response.status, answer.error ?? `the server answers ${response.status}`);
  }
}
