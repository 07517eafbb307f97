import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { BAD_FIELD } from '../protocol-error.js';

/** Whether a person looks at the client. Inactive: no EPHEMERAL is sent to it, and others see it offline. */
export function encodeClientState(writer: FrameWriter, active: boolean): void {
  writer.begin(FrameType.clientState, 0, 1);
  writer.u8(active ? 1 : 0);
  writer.end();
}

/** True: active. */
export function decodeClientState(reader: FrameReader): boolean {
  reader.allowFlags(0);
  const state = reader.u8();
  if (state > 1) throw BAD_FIELD;
  return state === 1;
}
