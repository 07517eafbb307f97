import { userInfo } from 'node:os';
import { Option } from 'commander';

/** The operator's port cannot be reached, or refuses: said in one line. */
export class OperatorRefused extends Error {
  override readonly name = 'OperatorRefused';
  constructor(
    message: string,
    /** Of the server's answer; 0: there was none. */
    readonly status: number = 0,
  ) {
    super(message);
  }
}

/** How long an answer may take. */
const ANSWER_MS_MAX = 20_000;

/** What every command wants that asks a running server. */
export function operatorOptions(): Option[] {
  return [
    new Option('--operator <url>', "the operator's page of the server")
      .default('http://127.0.0.1:8471/')
      .env('ROOKERY_OPERATOR'),
    new Option('--token <token>', "the operator's token, as the server printed it at its first start").env(
      'ROOKERY_OPERATOR_TOKEN',
    ),
  ];
}

export interface OperatorFlags {
  readonly operator: string;
  readonly token?: string;
}

/**
 * Asks the operator's port of a running server.
 *
 * @throws OperatorRefused
 */
export function askOperator<T>(
  flags: OperatorFlags,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<T> {
  return ask<T>(flags, path, { method }, ANSWER_MS_MAX);
}

/**
 * Has the server do something: `POST /api/action/<name>` with these parameters. That the answer is a `T` is the action's word.
 *
 * @throws OperatorRefused with the server's words
 */
export function askAction<T>(
  flags: OperatorFlags,
  name: string,
  params: Readonly<Record<string, unknown>> = {},
  answerMsMax: number = ANSWER_MS_MAX,
): Promise<T> {
  const headers = {
    'Content-Type': 'application/json',
    'X-Rookery-Author': encodeURIComponent(loginName()),
  };
  const init = { method: 'POST', headers, body: JSON.stringify(params) };
  return ask<T>(flags, `/api/action/${name}`, init, answerMsMax);
}

async function ask<T>(
  { operator, token }: OperatorFlags,
  path: string,
  init: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string },
  answerMsMax: number,
): Promise<T> {
  if (!URL.canParse(path, operator)) throw new OperatorRefused(`--operator must be an URL, not ${operator}`);
  const url = new URL(path, operator);
  if (!/^https?:$/.test(url.protocol) || url.username !== '')
    throw new OperatorRefused(`--operator must be an URL of http or https, not ${operator}`);
  if (token === undefined) {
    throw new OperatorRefused(
      '--token, or ROOKERY_OPERATOR_TOKEN, is wanted: the server printed it at its first start',
    );
  }
  // As a header it cannot be sent otherwise; and it must not be shown.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new OperatorRefused('the token has characters that no token has: is it cut, or two lines?');
  let response: Response;
  try {
    response = await fetch(url, {
      ...init,
      headers: { ...init.headers, Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerMsMax),
    });
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    throw new OperatorRefused(`${url.origin} does not answer: ${why}`);
  }
  const answer = (await response.json().catch(() => ({}))) as { readonly error?: string };
  if (response.status === 401)
    throw new OperatorRefused(
      `${url.origin} does not take this token. A new one: rookery operator-token, where the server's data is`,
      401,
    );
  if (!response.ok)
    throw new OperatorRefused(answer.error ?? `${url.origin} answers ${response.status}`, response.status);
  return answer as T;
}

/** Who stands in the server's audit log: the name of the account that runs this. */
function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as in some containers.
    return process.env['USER'] ?? 'operator';
  }
}

/** Runs what a command does. What the operator's port refuses is no crash: it is said in one line, and the exit code is 1. */
export async function toldPlainly(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof OperatorRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
