import { type ProcessUsage, processUsage, type ThreadUsage, threadUsage } from '../measure/process-usage.js';
import type { PinSource } from './load-process.js';

/** A server in a process of its own. */
export interface ServerUnderTest {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Of Node's inspector; 0: it has none. */
  readonly inspectorPort: number;
  readonly pins?: PinSource;
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
