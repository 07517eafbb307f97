import type { ByteSink } from './byte-sink.js';
import type { ByteSource } from './byte-source.js';
import { RecordingError } from './recording-error.js';

/** What the lowest two bits of a figure's varint say. */
const TAG = {
  /** The rest is the zigzag difference to the figure before, both whole numbers (0 if that one was not). */
  whole: 0,
  /** n/a; the rest is 0. */
  none: 1,
  /** The same as `whole` in ten-thousandths. */
  decimal: 2,
  /** The rest is 0; eight bytes follow: IEEE 754. */
  double: 3,
} as const;

/** Four decimals: µs of what is counted in ms come near enough, and so do shares. */
const SCALE = 10_000;
/** Differences beyond would not fit into a varint with their tag. */
const DIFFERENCE_MAX = 2 ** 50;

/** The nearest number with four decimals: what a recorder keeps of a figure, so that it takes few bytes. */
export function rounded(figure: number): number {
  const scaled = Math.round(figure * SCALE);
  return Math.abs(scaled) <= DIFFERENCE_MAX ? scaled / SCALE : figure;
}

/** Exact for every number. NaN: n/a. @param before the figure of the same place in the frame before, NaN without one. */
export function writeFigure(sink: ByteSink, figure: number, before: number): void {
  if (Number.isNaN(figure)) {
    sink.varint(TAG.none);
    return;
  }
  if (Number.isSafeInteger(figure)) {
    const difference = figure - wholeBase(before);
    if (Math.abs(difference) < DIFFERENCE_MAX) {
      sink.varint(zigzag(difference) * 4 + TAG.whole);
      return;
    }
  } else {
    const scaled = Math.round(figure * SCALE);
    if (scaled / SCALE === figure) {
      const difference = scaled - decimalBase(before);
      if (Math.abs(difference) < DIFFERENCE_MAX) {
        sink.varint(zigzag(difference) * 4 + TAG.decimal);
        return;
      }
    }
  }
  sink.varint(TAG.double);
  sink.f64(figure);
}

export function readFigure(source: ByteSource, before: number): number {
  const coded = source.varint();
  // Bits cannot be taken off numbers above 2^31 otherwise.
  const tag = coded % 4;
  const rest = (coded - tag) / 4;
  switch (tag) {
    case TAG.whole:
      return wholeBase(before) + unzigzag(rest);
    case TAG.decimal:
      return (decimalBase(before) + unzigzag(rest)) / SCALE;
    default:
      if (rest !== 0) throw new RecordingError(`a figure of an unknown kind before byte ${source.at}`);
      return tag === TAG.none ? Number.NaN : source.f64();
  }
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function wholeBase(before: number): number {
  return Number.isSafeInteger(before) ? before : 0;
}

function decimalBase(before: number): number {
  const scaled = Math.round(before * SCALE);
  return Math.abs(scaled) <= DIFFERENCE_MAX ? scaled : 0;
}
