import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** What became of the cursor in HELLO. */
export const WelcomeState = {
  /** The server goes on behind the client's cursor. */
  resumed: 0,
  /** The cursor means nothing here: forget it, take what comes from the beginning. */
  reset: 1,
  /** Resumed, but entries up to `truncated` were dropped by age before the client took them. */
  truncated: 2,
  /** Not registered: only REGISTER, VERIFY, PING and HELLO are allowed. */
  anonymous: 3,
} as const;
export type WelcomeState = (typeof WelcomeState)[keyof typeof WelcomeState];

const STATE_MASK = 0x03;

export interface Welcome {
  readonly state: WelcomeState;
  readonly version: number;
  /** Capability bits that both sides have. */
  readonly capabilities: number;
  /** The incarnation of the server's database. */
  readonly epoch: number;
  /** The highest seq of the inbox, 0 when it never had one. */
  readonly head: number;
  /** 0 unless the state is `truncated`. */
  readonly truncated: number;
  /** Wall-clock ms. */
  readonly serverTime: number;
  /** The client sends a PING after so long without sending anything. */
  readonly heartbeatMs: number;
  /** Where the user's inbox lives; 0: this very port. */
  readonly homePort: number;
  /** Entries waiting. Above 0 the session begins in pull mode and MORE follows. */
  readonly pendingCount: number;
  readonly bodyBytesMax: number;
  /** Ids from the oldest unacknowledged to the newest SEND or RECEIPT, both included, at most. */
  readonly messageIdWindow: number;
  /** Unacknowledged bytes after which the server stops pushing. */
  readonly deliverWindowBytes: number;
  /** The largest BATCH frame. */
  readonly batchBytesMax: number;
}

export function encodeWelcome(writer: FrameWriter, welcome: Welcome): void {
  writer.begin(FrameType.welcome, welcome.state & STATE_MASK, 13 * 8, 60);
  writer.varint(welcome.version);
  writer.varint(welcome.capabilities);
  writer.varint(welcome.epoch);
  writer.varint(welcome.head);
  writer.varint(welcome.truncated);
  writer.varint(welcome.serverTime);
  writer.varint(welcome.heartbeatMs);
  writer.varint(welcome.homePort);
  writer.varint(welcome.pendingCount);
  writer.varint(welcome.bodyBytesMax);
  writer.varint(welcome.messageIdWindow);
  writer.varint(welcome.deliverWindowBytes);
  writer.varint(welcome.batchBytesMax);
  writer.end();
}

export function decodeWelcome(reader: FrameReader): Welcome {
  reader.allowFlags(STATE_MASK);
  return {
    state: (reader.flags & STATE_MASK) as WelcomeState,
    version: reader.varint(),
    capabilities: reader.varint(),
    epoch: reader.varint(),
    head: reader.varint(),
    truncated: reader.varint(),
    serverTime: reader.varint(),
    heartbeatMs: reader.varint(),
    homePort: reader.varint(),
    pendingCount: reader.varint(),
    bodyBytesMax: reader.varint(),
    messageIdWindow: reader.varint(),
    deliverWindowBytes: reader.varint(),
    batchBytesMax: reader.varint(),
  };
}
