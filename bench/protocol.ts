/**
 * The codec alone: frames encoded and decoded a second, beside msgpackr doing the same work in the same run.
 *
 *     node dist/bench/protocol.js
 *
 * Operations for each second of CPU time. Short rounds alternate between the contenders and the best round of
 * each counts, since whatever the machine does beside slows all of them. Garbage is the growth of the heap for
 * each operation in a stretch without collection.
 */
import { Packr } from 'msgpackr';
import {
  Deliver,
  decodeAck,
  decodeDeliver,
  decodeSend,
  decodeSendAck,
  encodeAck,
  encodeDeliver,
  encodeSend,
  encodeSendAck,
  FrameReader,
  FrameWriter,
  Send,
  SendAck,
} from '../src/protocol/index.js';

const ROUNDS = 25;
const ROUND_CPU_MICROS = 25_000;
const FRAMES_IN_BUFFER = 64;

const TIME = 1_750_000_000_000;
const ALICE = 491701234567;
const BOB = 4915112345678;

interface Contender {
  readonly name: string;
  /** Does `FRAMES_IN_BUFFER` operations; returns something that depends on them. */
  readonly run: () => number;
}

const packr = new Packr({ useRecords: false });
const writer = new FrameWriter(1 << 20);
const reader = new FrameReader();
const send = new Send();
const deliver = new Deliver();
const ack = new SendAck();

/** Encoders write a buffer full of frames; decoders walk through such a buffer. */
function ours(name: string, encode: (i: number) => void, decode: () => number): Contender[] {
  const bytes = (() => {
    writer.reset();
    for (let i = 0; i < FRAMES_IN_BUFFER; i++) encode(i);
    return writer.copy();
  })();
  return [
    {
      name: `${name} encode, rookery`,
      run: () => {
        writer.reset();
        for (let i = 0; i < FRAMES_IN_BUFFER; i++) encode(i);
        return writer.length;
      },
    },
    {
      name: `${name} decode, rookery`,
      run: () => {
        let sum = 0;
        reader.reset(bytes);
        while (reader.next()) sum += decode();
        return sum;
      },
    },
  ];
}

function msgpack(name: string, value: (i: number) => unknown[]): Contender[] {
  const packed = Array.from({ length: FRAMES_IN_BUFFER }, (_, i) => Uint8Array.from(packr.pack(value(i))));
  return [
    {
      name: `${name} encode, msgpackr`,
      run: () => {
        let sum = 0;
        for (let i = 0; i < FRAMES_IN_BUFFER; i++) sum += packr.pack(value(i)).length;
        return sum;
      },
    },
    {
      name: `${name} decode, msgpackr`,
      run: () => {
        let sum = 0;
        for (const bytes of packed) sum += (packr.unpack(bytes) as unknown[])[0] as number;
        return sum;
      },
    },
  ];
}

const pairs: Contender[][] = [];
for (const bodyBytes of [50, 1000]) {
  const body = new Uint8Array(bodyBytes).fill(0x61);
  const sendName = `SEND ${bodyBytes}`;
  const deliverName = `DELIVER ${bodyBytes}`;
  pairs.push(
    ours(
      sendName,
      (i) => encodeSend(writer, 1000 + i, BOB, body, 0, bodyBytes),
      () => {
        decodeSend(reader, send);
        return send.messageId + send.bodyEnd - send.bodyStart;
      },
    ),
    msgpack(sendName, (i) => [16, 1000 + i, BOB, body]),
    ours(
      deliverName,
      (i) => encodeDeliver(writer, 70_000 + i, TIME + i, 32, ALICE, 1000 + i, body, 0, bodyBytes),
      () => {
        decodeDeliver(reader, deliver);
        return deliver.seq + deliver.bodyEnd - deliver.bodyStart;
      },
    ),
    msgpack(deliverName, (i) => [18, 70_000 + i, 0x65dd0837, 0x016911ec, TIME + i, ALICE, 1000 + i, body]),
  );
}
pairs.push(
  ours(
    'SEND_ACK',
    (i) => encodeSendAck(writer, 1000 + i, TIME + i, 32, 70_000 + i),
    () => {
      decodeSendAck(reader, ack);
      return ack.messageId;
    },
  ),
  msgpack('SEND_ACK', (i) => [17, 1000 + i, 0x65dd0837, 0x016911ec, TIME + i]),
  ours(
    'ACK',
    (i) => encodeAck(writer, 70_000 + i),
    () => decodeAck(reader),
  ),
  msgpack('ACK', (i) => [19, 70_000 + i]),
);

let sink = 0;

/** Operations for each CPU-second over one round, and bytes of garbage for each. */
function round(contender: Contender): { perSecond: number; garbageBytes: number } {
  let calls = 0;
  const heapStart = process.memoryUsage().heapUsed;
  for (let i = 0; i < 32; i++) sink += contender.run();
  const garbage = process.memoryUsage().heapUsed - heapStart;
  const start = process.cpuUsage();
  let micros = 0;
  do {
    for (let i = 0; i < 16; i++) sink += contender.run();
    calls += 16;
    const used = process.cpuUsage(start);
    micros = used.user + used.system;
  } while (micros < ROUND_CPU_MICROS);
  return {
    perSecond: (calls * FRAMES_IN_BUFFER * 1e6) / micros,
    garbageBytes: garbage / (32 * FRAMES_IN_BUFFER),
  };
}

const contenders = pairs.flat();
const best = new Map<string, { perSecond: number; garbageBytes: number }>();
for (let i = 0; i < ROUNDS; i++) {
  for (const contender of contenders) {
    const { perSecond, garbageBytes } = round(contender);
    const before = best.get(contender.name) ?? { perSecond: 0, garbageBytes: Number.POSITIVE_INFINITY };
    best.set(contender.name, {
      perSecond: Math.max(before.perSecond, perSecond),
      // A collection in between makes it negative: no measurement.
      garbageBytes: garbageBytes < 0 ? before.garbageBytes : Math.min(before.garbageBytes, garbageBytes),
    });
  }
}

console.log('work                  rookery M/s   msgpackr M/s   ratio   garbage B/op (rookery, msgpackr)');
for (const name of contenders.map((contender) => contender.name).filter((text) => text.endsWith('rookery'))) {
  const work = name.slice(0, name.lastIndexOf(','));
  const a = best.get(name)!;
  const b = best.get(`${work}, msgpackr`)!;
  console.log(
    work.padEnd(20),
    (a.perSecond / 1e6).toFixed(1).padStart(12),
    (b.perSecond / 1e6).toFixed(1).padStart(14),
    (a.perSecond / b.perSecond).toFixed(1).padStart(7),
    `${a.garbageBytes.toFixed(0)}, ${b.garbageBytes.toFixed(0)}`.padStart(12),
  );
}
if (sink === 0) throw new Error('nothing was measured');
