import { beCut, Word, words } from '../actors/cut.js';
import { SendResult, type Socket } from './socket.js';

/** What {@link Corks} needs of a writer; protocol's FrameWriter is one. */
export interface CorkWriter {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Whether so many bytes more stay within its limit. */
  fits(bytes: number): boolean;
  reset(): void;
}

/** A connection that writes through {@link Corks}. The two fields belong to the corks, nobody else sets them. */
export interface CorkedConnection<W extends CorkWriter> {
  readonly socket: Socket;
  /** Null while nothing is waiting to be sent, so an idle connection costs no buffer. */
  corkWriter: W | null;
  /** A send of this turn was dropped: the rest of the turn must not follow it. */
  corkDropped: boolean;
}

export interface CorksOptions<W extends CorkWriter, C extends CorkedConnection<W>> {
  /** A new writer; its limit is the largest WebSocket message that may be sent. */
  readonly makeWriter: () => W;
  /** Writers kept for reuse between turns. */
  readonly poolMax: number;
  /** A writer that grew beyond this is let go instead of kept. */
  readonly keptBytesMax: number;
  /** The first connection became dirty: a flush is needed at the end of this turn. */
  readonly onDirty: () => void;
  /**
   * What came of a turn's frames of one connection. `dropped`: from some frame on nothing was taken, and the
   * connection must assume that of all of them.
   */
  readonly onFlushed: (connection: C, result: SendResult) => void;
}

/**
 * Puts together what a scheduler's sessions write during one turn, so that each socket gets one message (one
 * system call) a turn and not one for each frame.
 *
 *     turn:   writerFor(a).…  writerFor(b).…  writerFor(a).…       buffers from a pool, `a` and `b` are dirty
 *     flush:  a.socket.send(all of a's frames)  b.socket.send(…)   then the buffers go back to the pool
 *
 * Frames of one connection leave in the order they were written. When a frame would not fit in the message
 * any more, what is there is sent early, as a message of its own.
 */
export class Corks<W extends CorkWriter, C extends CorkedConnection<W> = CorkedConnection<W>> {
  readonly #options: CorksOptions<W, C>;
  readonly #pool: W[] = [];
  #dirty: C[] = [];
  /**
   * Those whose turn it is in a flush, and how far it is: in fields, since no `finally` runs where the native guard cuts
   * off what `onFlushed` calls. The next flush begins with what is left.
   */
  #flushing: C[] = [];
  #flushed = 0;
  /** A flush was asked for and has not begun. */
  #asked = false;

  constructor(options: CorksOptions<W, C>) {
    this.#options = options;
  }

  /** Above 0: a flush is due. */
  get dirty(): number {
    return this.#dirty.length + this.#flushing.length - this.#flushed;
  }

  /** Writers that lie ready. */
  get pooled(): number {
    return this.#pool.length;
  }

  /**
   * The writer to append frames to, until the end of the turn: don't keep it.
   *
   * @param frameBytesMax what the caller is about to write at most; must fit in an empty writer.
   */
  writerFor(connection: C, frameBytesMax = 0): W {
    // What writes is being cut off: it must not stop between the lines below.
    if (words[Word.cutting] !== 0) beCut();
    const writer = connection.corkWriter;
    if (writer !== null) {
      if (!this.#asked) this.#ask();
      if (!writer.fits(frameBytesMax)) this.#send(connection, writer);
      return writer;
    }
    const fresh = this.#pool.pop() ?? this.#options.makeWriter();
    connection.corkWriter = fresh;
    connection.corkDropped = false;
    this.#mark(connection);
    return fresh;
  }

  /**
   * Sends what is waiting. Whatever `onFlushed` makes sessions write waits for the next flush (and calls
   * `onDirty`). What an error or a cut leaves behind goes with the next flush, first of all; after a cut that is asked for
   * when anybody writes again.
   */
  flush(): void {
    this.#asked = false;
    this.#flushRest();
    const empty = this.#flushing;
    this.#flushing = this.#dirty;
    this.#dirty = empty;
    this.#flushRest();
  }

  #flushRest(): void {
    const flushing = this.#flushing;
    try {
      while (this.#flushed < flushing.length) {
        const connection = flushing[this.#flushed++]!;
        const writer = connection.corkWriter;
        // Flushed on its own or discarded meanwhile; or it is in the list twice after such.
        if (writer === null) continue;
        let result: SendResult;
        try {
          result = this.#send(connection, writer);
        } finally {
          this.#release(connection, writer);
        }
        this.#options.onFlushed(connection, result);
      }
      flushing.length = 0;
      this.#flushed = 0;
    } finally {
      // After an error the rest must not be forgotten.
      if (this.#flushed < flushing.length && !this.#asked) this.#ask();
    }
  }

  /** Sends what is waiting for one connection now, before it is closed for instance. `onFlushed` is not called. */
  flushNow(connection: C): SendResult {
    const writer = connection.corkWriter;
    if (writer === null) return SendResult.sent;
    const result = this.#send(connection, writer);
    this.#release(connection, writer);
    return result;
  }

  /** Forgets what is waiting for a connection that is gone. */
  discard(connection: C): void {
    const writer = connection.corkWriter;
    if (writer !== null) this.#release(connection, writer);
  }

  #send(connection: C, writer: W): SendResult {
    let result: SendResult = SendResult.sent;
    if (connection.corkDropped) {
      // Frames after a dropped one would make a hole that nobody can see.
      result = SendResult.dropped;
    } else if (writer.length > 0) {
      result = connection.socket.send(writer.bytes.subarray(0, writer.length));
      if (result === SendResult.dropped) connection.corkDropped = true;
    }
    writer.reset();
    return result;
  }

  #mark(connection: C): void {
    this.#dirty.push(connection);
    if (!this.#asked) this.#ask();
  }

  #ask(): void {
    this.#options.onDirty();
    this.#asked = true;
  }

  #release(connection: C, writer: W): void {
    connection.corkWriter = null;
    writer.reset();
    if (this.#pool.length < this.#options.poolMax && writer.bytes.length <= this.#options.keptBytesMax) {
      this.#pool.push(writer);
    }
  }
}
