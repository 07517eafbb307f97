import { type MessageCodec, MessageCodecs } from '../../src/schedulers/index.js';

/** A message whose record has 96 bytes: what a receipt or a short chat message is. */
export class Letter {
  constructor(
    readonly from: number,
    readonly to: number,
    readonly seq: number,
    readonly time: number,
    readonly ref: number,
    readonly kind: number,
    readonly body: Uint8Array,
  ) {}
}

export function makeLetter(seq: number, body: Uint8Array): Letter {
  return new Letter(15550001, 15550002, seq, 1.7e12 + seq, seq, 1, body);
}

/** The body that makes 96 bytes of it, all told. */
export const BODY_BYTES = 32;
export const LETTER_BYTES = 96;

const letter: MessageCodec<Letter> = {
  code: 1,
  message: Letter,
  bytesMax: ({ body }) => 48 + body.length,
  encode(message, out) {
    out.number(message.from);
    out.number(message.to);
    out.number(message.seq);
    out.number(message.time);
    out.number(message.ref);
    out.int(message.kind);
    out.bytes(message.body);
  },
  decode: (input) =>
    new Letter(
      input.number(),
      input.number(),
      input.number(),
      input.number(),
      input.number(),
      input.int(),
      input.bytes(),
    ),
};

/** The same size, handled while it stands in the ring: what a server does that copies the bytes on to a socket. */
export interface Postcard {
  readonly type: 'postcard';
  from: number;
  to: number;
  seq: number;
  time: number;
  ref: number;
  kind: number;
  body: Uint8Array;
  start: number;
  end: number;
}

export function makePostcard(body: Uint8Array): Postcard {
  return {
    type: 'postcard',
    from: 15550001,
    to: 15550002,
    seq: 0,
    time: 0,
    ref: 0,
    kind: 1,
    body,
    start: 0,
    end: body.length,
  };
}

const borrowed = makePostcard(new Uint8Array(0));

const postcard: MessageCodec<Postcard> = {
  code: 2,
  message: 'postcard',
  bytesMax: ({ start, end }) => 48 + end - start,
  encode(message, out) {
    out.number(message.from);
    out.number(message.to);
    out.number(message.seq);
    out.number(message.time);
    out.number(message.ref);
    out.int(message.kind);
    out.bytes(message.body, message.start, message.end);
  },
  decode(input) {
    const card = makePostcard(new Uint8Array(0));
    card.from = input.number();
    card.to = input.number();
    card.seq = input.number();
    card.time = input.number();
    card.ref = input.number();
    card.kind = input.int();
    card.body = input.bytes();
    card.end = card.body.length;
    return card;
  },
  borrow(input) {
    borrowed.from = input.number();
    borrowed.to = input.number();
    borrowed.seq = input.number();
    borrowed.time = input.number();
    borrowed.ref = input.number();
    borrowed.kind = input.int();
    const length = input.view();
    borrowed.body = input.source;
    borrowed.start = input.at - ((length + 3) & ~3);
    borrowed.end = borrowed.start + length;
    return borrowed;
  },
};

export const benchCodecs = new MessageCodecs([letter, postcard]);
