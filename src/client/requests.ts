import type { StructuredMap, StructuredValue } from '../protocol/structured.js';
import { ClientError } from './client-error.js';
import type { RookeryClient } from './rookery-client.js';

/** The server's request methods, typed. Each rejects like `RookeryClient.request`. */

export interface UserProfile {
  readonly user: number;
  readonly name: string;
}

export interface KnownUser extends UserProfile {
  /** Wall-clock ms; 0: not known. */
  readonly lastSeen: number;
}

/** How many users one `lookupUsers` may name. */
export const LOOKUP_USERS_MAX = 256;

export async function getProfile(client: RookeryClient): Promise<UserProfile> {
  const { user, name } = await client.request('profile.get', {});
  return { user: numberOf(user), name: textOf(name) };
}

export async function setProfileName(client: RookeryClient, name: string): Promise<void> {
  await client.request('profile.set', { name });
}

export async function blockUser(client: RookeryClient, user: number): Promise<void> {
  await client.request('block.add', { user });
}

export async function unblockUser(client: RookeryClient, user: number): Promise<void> {
  await client.request('block.remove', { user });
}

export async function blockedUsers(client: RookeryClient): Promise<number[]> {
  const { users } = await client.request('block.list', {});
  return listOf(users).map(numberOf);
}

/** Those of `users` that are registered. At most {@link LOOKUP_USERS_MAX}. */
export async function lookupUsers(client: RookeryClient, users: readonly number[]): Promise<KnownUser[]> {
  const { users: known } = await client.request('users.lookup', { users });
  return listOf(known).map((value) => {
    const { user, name, lastSeen } = mapOf(value);
    return { user: numberOf(user), name: textOf(name), lastSeen: numberOf(lastSeen ?? 0) };
  });
}

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  /** Wall-clock ms of the server. */
  readonly time: number;
  readonly epoch: number;
}

export async function serverInfo(client: RookeryClient): Promise<ServerInfo> {
  const { name, version, time, epoch } = await client.request('server.info', {});
  return { name: textOf(name), version: textOf(version), time: numberOf(time), epoch: numberOf(epoch) };
}

type Field = StructuredValue | undefined;

function unexpected(field: Field): ClientError {
  return new ClientError('refused', `the server's answer has an unexpected ${typeof field}`);
}

function numberOf(field: Field): number {
  if (typeof field !== 'number') throw unexpected(field);
  return field;
}

function textOf(field: Field): string {
  if (typeof field !== 'string') throw unexpected(field);
  return field;
}

function listOf(field: Field): readonly StructuredValue[] {
  if (!Array.isArray(field)) throw unexpected(field);
  return field;
}

function mapOf(field: Field): StructuredMap {
  if (typeof field !== 'object' || field === null || Array.isArray(field) || field instanceof Uint8Array) {
    throw unexpected(field);
  }
  return field as StructuredMap;
}
