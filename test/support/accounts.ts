import { encodeRegister, encodeVerify } from '../../src/protocol/index.js';
import { type Credentials, ProtocolClient } from './protocol-client.js';
import type { TestServer } from './test-server.js';

/** Registers a number (again: as a new device), on a connection of its own, with the PIN from the server's log. */
export async function register(server: TestServer, phone: number, name = ''): Promise<Credentials> {
  const client = await ProtocolClient.connect(server.url);
  try {
    client.hello(null);
    await client.next('welcome');
    return await registerOn(client, server, phone, name);
  } finally {
    client.terminate();
  }
}

/** Registers on an anonymous connection that has been welcomed. */
export async function registerOn(
  client: ProtocolClient,
  server: TestServer,
  phone: number,
  name = '',
): Promise<Credentials> {
  const pin = await askForPin(client, server, phone);
  client.send((writer) => encodeVerify(writer, { ref: 2, phone, pin, name }));
  const { user, device, key, firstMessageId } = await answered(client.next('registered'), client);
  return { user, device, key, firstMessageId };
}

/** REGISTER, and the PIN that the log shows for it. */
export async function askForPin(client: ProtocolClient, server: TestServer, phone: number): Promise<string> {
  const line = server.lines.all.length;
  client.send((writer) => encodeRegister(writer, { ref: 1, phone }));
  await answered(client.next('challenge'), client);
  return await server.pin(phone, line);
}

/** The answer to a request, or the error that came instead. */
async function answered<T>(answer: Promise<T>, client: ProtocolClient): Promise<T> {
  const error = client.next('error', (frame) => frame.refKind === 2);
  // Whichever does not come is not missed.
  error.catch(() => {});
  answer.catch(() => {});
  const first = await Promise.race([answer, error]);
  if (typeof first === 'object' && first !== null && 'type' in first && first.type === 'error') {
    throw new Error(`refused: ${(await error).message}`);
  }
  return first as T;
}

/** `count` new users with numbers from `first` on. */
export async function registerMany(
  server: TestServer,
  count: number,
  first = 15_550_000,
): Promise<Credentials[]> {
  const client = await ProtocolClient.connect(server.url);
  client.hello(null);
  await client.next('welcome');
  const users: Credentials[] = [];
  for (let i = 0; i < count; i++) users.push(await registerOn(client, server, first + i));
  client.terminate();
  return users;
}
