import { Option } from 'commander';

/** The operator's port cannot be reached, or refuses: said in one line. */
export class OperatorRefused extends Error {
  override readonly name = 'OperatorRefused';
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
export async function askOperator<T>(
  { operator, token }: OperatorFlags,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<T> {
  if (!URL.canParse(path, operator)) throw new OperatorRefused(`--operator must be an URL, not ${operator}`);
  const url = new URL(path, operator);
  if (token === undefined) {
    throw new OperatorRefused(
      '--token, or ROOKERY_OPERATOR_TOKEN, is wanted: the server printed it at its first start',
    );
  }
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    throw new OperatorRefused(`${url.origin} does not answer: ${why}`);
  }
  const answer = (await response.json().catch(() => ({}))) as { readonly error?: string };
  if (!response.ok) throw new OperatorRefused(answer.error ?? `${url.origin} answers ${response.status}`);
  return answer as T;
}
