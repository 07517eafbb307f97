import { readFileSync } from 'node:fs';
import type { Direction, Fields, Frame } from './second-codec.js';

/** docs/wire-protocol.vectors.json. */
export interface Vectors {
  readonly subprotocol: string;
  readonly version: number;
  readonly varints: readonly { readonly value: number; readonly hex: string }[];
  readonly badVarints: readonly { readonly hex: string; readonly why: string }[];
  readonly messageIds: readonly {
    readonly time: number;
    readonly partition: number;
    readonly seq: number;
    readonly id: string;
  }[];
  readonly phones: { readonly valid: readonly number[]; readonly invalid: readonly number[] };
  readonly ranges: readonly { readonly ranges: readonly [number, number][]; readonly hex: string }[];
  readonly badRanges: readonly { readonly hex: string; readonly why: string }[];
  readonly frames: readonly FrameVector[];
  readonly messages: readonly {
    readonly name: string;
    readonly direction: Direction;
    readonly hex: string;
    /** Names of frame vectors. */
    readonly frames?: readonly string[];
    readonly expect?: readonly Frame[];
  }[];
  readonly malformed: readonly {
    readonly name: string;
    readonly direction: Direction;
    readonly error: string;
    readonly hex: string;
    readonly why: string;
  }[];
}

export interface FrameVector {
  readonly name: string;
  readonly direction: Direction;
  readonly frame: string;
  readonly fields: Fields;
  readonly hex: string;
}

// The tests run from dist/test/protocol; the documents are not compiled.
const docs = new URL('../../../docs/', import.meta.url);

export const vectors = JSON.parse(
  readFileSync(new URL('wire-protocol.vectors.json', docs), 'utf8'),
) as Vectors;

export const documentText = (): string => readFileSync(new URL('wire-protocol.md', docs), 'utf8');

export function frameVector(name: string): FrameVector {
  const found = vectors.frames.find((vector) => vector.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found;
}
