import type { StoredToken } from './stored-token.js';

/** How long an answer may take. Actions that look for long say how long themselves. */
const ANSWER_MS_MAX = 5000;

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

  constructor(token: StoredToken) {
    this.#token = token;
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
      headers: { 'content-type': 'application/json', 'x-rookery-author': 'page' },
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
