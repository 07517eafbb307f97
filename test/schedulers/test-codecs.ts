import { type MessageCodec, MessageCodecs } from '../../src/schedulers/index.js';

/** A message of a class, with one field of each kind. */
export class Parcel {
  constructor(
    readonly number: number,
    readonly weight: number,
    readonly label: string,
    readonly content: Uint8Array,
  ) {}
}

const parcel: MessageCodec<Parcel> = {
  code: 1,
  message: Parcel,
  bytesMax: ({ label, content }) => 4 + 12 + 8 + 3 * label.length + 8 + content.length,
  encode(message, out) {
    out.int(message.number);
    out.number(message.weight);
    out.text(message.label);
    out.bytes(message.content);
  },
  decode: (input) => new Parcel(input.int(), input.number(), input.text(), input.bytes()),
};

/** A plain object, known by its type, that is handled while it stands in the ring. */
export interface Tick {
  readonly type: 'tick';
  count: number;
}

const borrowed: { type: 'tick'; count: number } = { type: 'tick', count: 0 };

const tick: MessageCodec<Tick> = {
  code: 65535,
  message: 'tick',
  bytesMax: () => 12,
  encode: (message, out) => out.number(message.count),
  decode: (input) => ({ type: 'tick', count: input.number() }),
  borrow(input) {
    borrowed.count = input.number();
    return borrowed;
  },
};

/** The same on all schedulers of a test. */
export const testCodecs = new MessageCodecs([parcel, tick]);
