/** The number of each frame on the wire. Stable for ever; see docs/wire-protocol.md. */
export const FrameType = {
  hello: 0x01,
  welcome: 0x02,
  register: 0x03,
  verify: 0x04,
  registered: 0x05,
  challenge: 0x06,
  send: 0x10,
  sendAck: 0x11,
  deliver: 0x12,
  ack: 0x13,
  receipt: 0x14,
  more: 0x15,
  pull: 0x16,
  batch: 0x17,
  ephemeral: 0x18,
  clientState: 0x19,
  ping: 0x20,
  pong: 0x21,
  goAway: 0x22,
  error: 0x23,
  home: 0x24,
  request: 0x30,
  response: 0x31,
  /** Reserved, as are 0x50–0x5f. */
  edit: 0x40,
  recall: 0x41,
  schedule: 0x42,
  cancel: 0x43,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Flag bit of every frame: who does not know the type must end the connection instead of skipping it. */
export const CRITICAL = 0x80;

const CLIENT = 1;
const SERVER = 2;
const RESERVED = 4;

const roles = new Uint8Array(256);
const names = new Map<number, string>();
for (const [name, type] of Object.entries(FrameType)) names.set(type, name);
for (const type of [
  FrameType.hello,
  FrameType.register,
  FrameType.verify,
  FrameType.send,
  FrameType.ack,
  FrameType.receipt,
  FrameType.pull,
  FrameType.ephemeral,
  FrameType.clientState,
  FrameType.ping,
  FrameType.pong,
  FrameType.request,
]) {
  roles[type]! |= CLIENT;
}
for (const type of [
  FrameType.welcome,
  FrameType.registered,
  FrameType.challenge,
  FrameType.sendAck,
  FrameType.deliver,
  FrameType.receipt,
  FrameType.more,
  FrameType.batch,
  FrameType.ephemeral,
  FrameType.ping,
  FrameType.pong,
  FrameType.goAway,
  FrameType.error,
  FrameType.home,
  FrameType.response,
]) {
  roles[type]! |= SERVER;
}
for (let type: number = FrameType.edit; type <= FrameType.cancel; type++) roles[type]! |= RESERVED;
for (let type = 0x50; type <= 0x5f; type++) roles[type]! |= RESERVED;

/** True when a client may send this type. False for a server's frame, a reserved and an unknown one. */
export function clientMaySend(type: number): boolean {
  return (roles[type]! & CLIENT) !== 0;
}

/** True when a server may send this type. */
export function serverMaySend(type: number): boolean {
  return (roles[type]! & SERVER) !== 0;
}

/** True for numbers that version 1 keeps free: answered with `notSupported`. */
export function isReservedFrame(type: number): boolean {
  return (roles[type]! & RESERVED) !== 0;
}

/** True when version 1 defines the frame. Others, and reserved ones, are skipped or end the connection. */
export function isKnownFrame(type: number): boolean {
  return (roles[type]! & (CLIENT | SERVER)) !== 0;
}

/** The name for logs: `send`, or `0x7a` when there is none. */
export function frameName(type: number): string {
  return names.get(type) ?? `0x${type.toString(16).padStart(2, '0')}`;
}
