import { type ProcessUsage, processUsage, type ThreadUsage, threadUsage } from '../measure/process-usage.js';
import type { PinSource } from './load-process.js';

/** Where messages and users are, over all schedulers, since the start of the server. */
export interface Locality {
  /** Entries of inboxes that went to a session of the scheduler that has the inbox, and to those of others. */
  readonly local: number;
  readonly remote: number;
  /** Users, and those who are connected to the scheduler that has their inbox. */
  readonly online: number;
  readonly atHome: number;
}

/** A server in a process of its own. */
export interface ServerUnderTest {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Of Node's inspector; 0: it has none. */
  readonly inspectorPort: number;
  readonly pins?: PinSource;
  /** What the server says about its schedulers. */
  locality?(): Promise<Locality>;
  /** Ends it and removes what it kept. */
  stop(): Promise<void>;
  /** Ends it like kill -9, and leaves what it kept. */
  kill?(): Promise<void>;
}

/** What a server had used at some moment. */
export interface Snapshot {
  readonly process: ProcessUsage;
  readonly threads: readonly ThreadUsage[];
}

export function snapshot(server: ServerUnderTest): Snapshot {
  return { process: processUsage(server.pid), threads: threadUsage(server.pid) };
}

/** Node's arguments that open the inspector there; none for 0. */
export function inspectFlag(port: number): string[] {
  return port === 0 ? [] : [`--inspect=127.0.0.1:${port}`];
}
