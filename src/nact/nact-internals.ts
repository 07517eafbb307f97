/**
 * What is used of nact beyond its documented interface, typed here because nact has no types for it. The version is pinned;
 * a test compares this with what the package has.
 */
import type { PersistedEvent, PersistedSnapshot } from 'nact';
// @ts-expect-error nact has no types for its inner modules
import persistenceModule from 'nact/lib/persistence/index.js';

interface Persistence {
  readonly PersistedEvent: new (
    data: unknown,
    sequenceNumber: number,
    key: string,
    tags?: string[],
    createdAt?: number,
    isDeleted?: boolean,
  ) => PersistedEvent;
  readonly PersistedSnapshot: new (
    data: unknown,
    sequenceNumber: number,
    key: string,
    createdAt?: number,
  ) => PersistedSnapshot;
}

export const persistence = persistenceModule as Persistence;
