import { MARK_DOUBLES, MarkKind, type MessageMarks } from '../chat/message-marks.js';
import type { StationMark, StationName } from '../metrics/message-trace.js';
import type { Answers } from './answers.js';

/** What the topic `message-marks` is asked with: the share of messages to sample from now on. */
export interface MarksParams {
  readonly ratio: number;
}

export interface MarksAnswer {
  readonly marks: Float64Array;
  /** Marks that were not kept since the scheduler began. */
  readonly dropped: number;
}

/** The topic `message-marks`: takes what has gathered, and says what is sampled until the next time. */
export function registerMessageMarks(answers: Answers, marks: MessageMarks): void {
  answers.on('message-marks', ({ ratio }: MarksParams): MarksAnswer => {
    const taken = marks.take();
    marks.sample(ratio);
    return { marks: taken, dropped: marks.dropped };
  });
}

/** The marks of a thread in words. */
export function stationMarks(marks: Float64Array, thread: string): StationMark[] {
  const all: StationMark[] = [];
  for (let at = 0; at < marks.length; at += MARK_DOUBLES) {
    const [kind, time, sender, id, a, b, c] = marks.subarray(at, at + MARK_DOUBLES) as unknown as number[];
    const mark = { at: time!, thread, sender: sender!, id: id!, recipient: null, bodyBytes: null };
    const station = STATIONS[kind!];
    if (station === 'received') {
      all.push({ ...mark, station, recipient: a!, bodyBytes: b!, partition: null, seq: null });
    } else if (station === 'stored') {
      all.push({ ...mark, station, partition: a!, seq: b! });
    } else if (station !== undefined) {
      all.push({ ...mark, station, recipient: a!, seq: b!, partition: c! });
    }
  }
  return all;
}

const STATIONS: Readonly<Record<number, StationName>> = {
  [MarkKind.received]: 'received',
  [MarkKind.stored]: 'stored',
  [MarkKind.routed]: 'routed',
  [MarkKind.delivered]: 'delivered',
};
