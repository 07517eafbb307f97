import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { GroupDescription, Reading } from '../../src/metrics/reading.js';
import { WsarError } from './wsar-error.js';

/** Nobody answers, or not in time: perhaps later. */
export class ServerAway extends Error {
  override readonly name = 'ServerAway';
}

const ANSWER_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The readings of a running server, over one connection that is kept: asking once a second costs the server a request and no
 * handshake.
 */
export class ServerClient {
  readonly url: URL;
  readonly #token: string;
  readonly #agent: HttpAgent;

  /** @throws WsarError if the address is no URL of HTTP. */
  constructor(address: string, token: string) {
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
      throw new WsarError(`--operator must be an URL of http or https, not ${address}`, 2);
    this.url = new URL(address);
    this.#token = token;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** @throws ServerAway, WsarError */
  async groups(): Promise<readonly GroupDescription[]> {
    const answer = (await this.#get('/api/groups')) as { version?: unknown; groups?: unknown };
    if (answer.version !== 1 || !Array.isArray(answer.groups))
      throw new WsarError(`${this.url.origin} describes its groups in a way that this program does not know`);
    return answer.groups as GroupDescription[];
  }

  /**
   * @param names of groups
   * @param since the uptime of the reading before, if there was one: peaks are the most since then
   * @throws ServerAway, WsarError
   */
  async reading(names: readonly string[], since: number | null): Promise<Reading> {
    const query = new URLSearchParams({ groups: names.join(',') });
    if (since !== null) query.set('since', String(since));
    const answer = (await this.#get(`/api/reading?${query}`)) as Reading;
    if (answer.version !== 1)
      throw new WsarError(
        `${this.url.origin} gives readings of version ${answer.version}; this program reads 1`,
      );
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #get(path: string): Promise<unknown> {
    const { status, body } = await this.#ask(new URL(path, this.url));
    let answer: unknown;
    try {
      answer = JSON.parse(body);
    } catch {
      throw new WsarError(
        `${this.url.origin} answers ${status}, and not in JSON: is it the operator's port?`,
      );
    }
    if (status === 200) return answer;
    const said = (answer as { error?: unknown } | null)?.error;
    const message = typeof said === 'string' ? said : `${this.url.origin} answers ${status}`;
    throw status >= 500 ? new ServerAway(message) : new WsarError(message);
  }

  #ask(url: URL): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const away = (error: Error & { code?: string }) =>
        reject(new ServerAway(`${url.origin} does not answer: ${error.message || error.code || error.name}`));
      const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = ask(
        url,
        {
          agent: this.#agent,
          headers: { Authorization: `Bearer ${this.#token}` },
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        },
        (response) =>
          textOf(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), away),
      );
      outgoing.on('error', away).end();
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) {
    text += part as string;
    if (text.length > ANSWER_BYTES_MAX) throw new Error('an answer without end');
  }
  return text;
}
