import type {
  ClientSocket,
  ClientSocketFactory,
  ClientSocketHandler,
} from '../../src/client/client-socket.js';
import {
  decodeError,
  ErrorCode,
  encodeHello,
  encodePing,
  encodePull,
  encodeSend,
  encodeVerify,
  errorName,
  FrameReader,
  FrameType,
  FrameWriter,
  serverMaySend,
} from '../../src/protocol/index.js';
import type { UserId } from '../../src/storage/stores.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import type { Ledger } from './ledger.js';

/**
 * Somebody who connects to do harm: garbage, broken frames, frames of the wrong moment, keys that are guessed. The
 * server may answer with typed errors and must end the connection; nobody else may notice.
 */
export class Vandal implements ClientSocketHandler {
  readonly #random: SeededRandom;
  readonly #ledger: Ledger;
  readonly #victim: UserId;
  readonly #writer = new FrameWriter(64 * 1024);
  readonly #socket: ClientSocket;

  constructor(random: SeededRandom, ledger: Ledger, victim: UserId, sockets: ClientSocketFactory) {
    this.#random = random;
    this.#ledger = ledger;
    this.#victim = victim;
    this.#socket = sockets.open('', '', this);
  }

  opened(): void {
    const random = this.#random;
    for (let n = 1 + random.below(4); n > 0; n--) {
      this.#write();
      const bytes = this.#writer.copy();
      this.#writer.reset();
      // Half of it is damaged on the way.
      if (random.next() < 0.5 && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      this.#socket.send(random.next() < 0.2 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes);
    }
  }

  message(bytes: Uint8Array): void {
    try {
      const reader = new FrameReader().reset(bytes);
      while (reader.next()) {
        if (!serverMaySend(reader.type))
          this.#ledger.violate('frames', `a vandal got a frame of type ${reader.type}`);
        if (reader.type === FrameType.welcome && (reader.flags & 3) !== 3) {
          this.#ledger.violate('security', `a vandal was welcomed as ${this.#victim}`);
        }
        if (reader.type === FrameType.registered) {
          this.#ledger.violate('security', `a vandal registered ${this.#victim}`);
        }
        if (reader.type !== FrameType.error) continue;
        const { code, message } = decodeError(reader);
        if (code === ErrorCode.internal)
          this.#ledger.violate('errors', `a vandal got ${errorName(code)}: ${message}`);
      }
    } catch (error) {
      this.#ledger.violate('frames', `a vandal got what it cannot read: ${String(error)}`);
    }
  }

  closed(): void {}

  #write(): void {
    const random = this.#random;
    const writer = this.#writer;
    switch (random.below(7)) {
      case 0: {
        const length = random.below(200);
        writer.begin(random.below(256), random.below(256), length);
        for (let n = 0; n < length; n++) writer.u8(random.below(256));
        writer.end();
        break;
      }
      case 1:
        encodeHello(writer, {
          versionMin: 1,
          versionMax: 1 + random.below(3),
          capabilities: random.below(1000),
          user: this.#victim,
          device: 1 + random.below(3),
          key: random.bytes(32),
          epoch: 1,
          seq: random.below(1000),
          agent: 'vandal',
        });
        break;
      case 2:
        encodeHello(writer, {
          versionMin: 1,
          versionMax: 1,
          capabilities: 0,
          user: 0,
          device: 0,
          key: new Uint8Array(0),
          epoch: 0,
          seq: 0,
          agent: '',
        });
        break;
      case 3:
        encodeSend(writer, 1 + random.below(100), this.#victim, random.bytes(random.below(5000)));
        break;
      case 4:
        encodePull(writer, random.below(1000), 0, 0);
        break;
      case 5:
        encodeVerify(writer, { ref: 1, phone: this.#victim, pin: '000000', name: 'vandal' });
        break;
      default:
        encodePing(writer, random.below(1000));
        break;
    }
  }
}
