/** Who asks, as the audit log and the ledger name him. */
export interface Asker {
  /** The `X-Rookery-Author` header of the request (the CLI sends the login name); `operator` without one. */
  readonly author: string;
  /** Where he sits: address of the connection. */
  readonly address: string;
}

/**
 * Something that an operator can ask or have done: `POST /api/action/<name>` with a JSON object as the body, the token in
 * the Authorization header, and a JSON answer. Actions are plug-ins: a list of them is handed to the operator's port. The
 * CLI and the page use no other way.
 */
export interface Action {
  /** Lower case, words joined with `-`: `inspect`, `knob-set`. */
  readonly name: string;
  /** One sentence for `GET /api/actions`. */
  readonly description: string;
  /** Whether it changes anything: then it stands in the audit log, with who, from where, with which parameters, and how it ended. */
  readonly changes: boolean;
  /** Parameters of which the audit log tells the size only: what people write is nobody's business. */
  readonly secret?: readonly string[];
  /**
   * Does it. What it returns is sent as JSON.
   *
   * @throws ActionRefused for wrong parameters (400), for something that there is not (404) or that cannot be now (409).
   */
  run(params: Readonly<Record<string, unknown>>, asker: Asker): unknown;
}

/** An action that is not done, in words for the operator: with the bad value in them. */
export class ActionRefused extends Error {
  override readonly name = 'ActionRefused';
  constructor(
    readonly status: 400 | 404 | 409 | 503,
    message: string,
  ) {
    super(message);
  }
}
