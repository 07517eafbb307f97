/** Operators of a running server's code, and who notices. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ErrorCode, encodeRequest } from '../../src/protocol/index.js';
import { register } from './accounts.js';
import { atEnd } from './at-end.js';
import { ProtocolClient } from './protocol-client.js';
import { type Ended, ROOT, runRookery, TestServer } from './test-server.js';

export const HANDLERS = join(ROOT, 'src/chat/handlers');

/** What a command needs to reach this server's operator. */
export function operatorOf(server: TestServer): Readonly<Record<string, string>> {
  return {
    ROOKERY_OPERATOR: `http://127.0.0.1:${server.operatorPort}/`,
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  };
}

/** `rookery code …` at this server. */
export function code(server: TestServer, ...args: readonly string[]): Promise<Ended> {
  return runRookery(['code', ...args], operatorOf(server));
}

export async function succeeds(ended: Promise<Ended>, ...patterns: readonly RegExp[]): Promise<void> {
  const { code, output } = await ended;
  assert.equal(code, 0, output);
  for (const pattern of patterns) assert.match(output, pattern);
}

export async function refused(ended: Promise<Ended>, pattern: RegExp): Promise<void> {
  const { code, output } = await ended;
  assert.equal(code, 1, output);
  assert.match(output, pattern);
}

/** Somebody who asks the server for its name, again and again. */
export class Asker {
  readonly client: ProtocolClient;
  #ref = 0;
  failed = 0;

  private constructor(client: ProtocolClient) {
    this.client = client;
  }

  static async connect(t: TestContext, server: TestServer): Promise<Asker> {
    const user = await register(server, 491_700_000_009);
    const client = await ProtocolClient.connect(server.url);
    atEnd(t, () => client.terminate());
    client.hello(user);
    await client.next('welcome');
    return new Asker(client);
  }

  /** What `server.info` says; null: it failed with an internal error. */
  async ask(): Promise<string | null> {
    const id = ++this.#ref;
    this.client.send((writer) => encodeRequest(writer, id, 'server.info', {}));
    const answer = this.client.next('response', (frame) => frame.id === id);
    const error = this.client.next('error', (frame) => frame.ref === id);
    answer.catch(() => {});
    error.catch(() => {});
    const first = await Promise.race([answer, error]);
    if ('code' in first) {
      assert.equal(first.code, ErrorCode.internal);
      this.failed++;
      return null;
    }
    return String((first.body as { readonly name?: unknown }).name);
  }
}

/** A version of `server.info` that answers with this. */
export function info(name: string): string {
  return `export const method = 'server.info';
    export function handle(request: { reply(body: object): void }): void {
      request.reply({ name: ${name}, version: '1', time: 0, epoch: 0 });
    }`;
}
