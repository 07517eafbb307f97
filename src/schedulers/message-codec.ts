import { BadArgument } from '../actors/index.js';
import type { RecordReader } from './record-reader.js';
import type { RecordWriter } from './record-writer.js';

/**
 * The compact form of one kind of message on its way to another scheduler. For those that are sent all the time:
 * everything else travels as MessagePack at a microsecond or so apiece.
 *
 *     const receipt: MessageCodec<Receipt> = {
 *       code: 3,
 *       message: 'receipt',                            // what its `type` says; or its class
 *       bytesMax: () => 3 * 12,
 *       encode(message, out) {
 *         out.number(message.user);
 *         out.number(message.seq);
 *         out.int(message.kind);
 *       },
 *       decode: (input) => ({ type: 'receipt', user: input.number(), seq: input.number(), kind: input.int() }),
 *     };
 */
export interface MessageCodec<M = unknown> {
  /** 1 to 65535, the same on all schedulers, never two alike. */
  readonly code: number;
  /** The class of the messages, or the `type` of plain objects. */
  readonly message: string | (abstract new (...args: never[]) => M);
  /** At least the bytes that `encode` will write, by the table of {@link RecordWriter}. −1: this one as MessagePack. */
  bytesMax(message: M): number;
  encode(message: M, out: RecordWriter): void;
  decode(input: RecordReader): M;
  /**
   * Optional: the message with bytes that still stand in the ring ({@link RecordReader.source}), in an object that
   * may be the same every time. It is tried first, and handled at once if its receiver is idle; else `decode` makes
   * one that lasts.
   */
  borrow?(input: RecordReader): M;
}

/** The codecs of a node: the same list, given to the routers of all its schedulers. */
export class MessageCodecs {
  readonly #byType = new Map<unknown, MessageCodec>();
  readonly #byCode: (MessageCodec | undefined)[] = [];

  /** Throws a {@link BadArgument} for a bad code, and for codes or messages that stand twice. */
  constructor(codecs: readonly MessageCodec[] = []) {
    for (const codec of codecs) {
      const { code, message } = codec;
      if (!Number.isInteger(code) || code < 1 || code > 65535)
        throw new BadArgument(`bad code of a message codec: ${code}`);
      if (this.#byCode[code] !== undefined) throw new BadArgument(`two message codecs have the code ${code}`);
      if (this.#byType.has(message)) throw new BadArgument(`two message codecs are for ${String(message)}`);
      this.#byCode[code] = codec;
      this.#byType.set(message, codec);
    }
  }

  /** The codec for a message that is an object. */
  for(message: object): MessageCodec | undefined {
    const type = message.constructor;
    return this.#byType.get(type === Object ? (message as { type?: unknown }).type : type);
  }

  withCode(code: number): MessageCodec | undefined {
    return this.#byCode[code];
  }
}
