import type { Clock } from '../structures/clock.js';
import { GroupPeaks } from './group-peaks.js';
import type { Figure, GroupDescription, GroupSource, Reading, Row } from './reading.js';

/** How long a source may take before a reading goes without it. */
export const READ_TIMEOUT_MS = 1000;

/** A source that fails now and then is told of so often. */
const TOLD_EVERY_MS = 60_000;

/** What two readings at the same moment are apart. */
const STEP_MS = 0.001;

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const KINDS = ['counter', 'gauge', 'peak'];

/** There is no group of this name. */
export class UnknownGroup extends RangeError {
  override readonly name = 'UnknownGroup';
  constructor(
    readonly group: string,
    known: Iterable<string>,
  ) {
    super(`there is no group "${group}": there are ${[...known].join(', ')}`);
  }
}

/** Rows, or null for a group that failed; what is not there at once comes later. */
type Answer = readonly Row[] | null | Promise<readonly Row[] | null>;

export interface GroupsOptions {
  readonly clock: Clock;
  /** On this clock: when that which is read has started. */
  readonly startedAt: number;
  /** A source threw, or did not answer in time; told once until it is well again, and once a minute of each at most. */
  readonly onFailure?: (group: string, error: unknown) => void;
}

/**
 * The groups of figures that there are, and the one way to read them. A source is asked by nobody else: whoever looks while
 * a read is under way gets the same one, and while nobody looks nothing is read.
 */
export class Groups {
  readonly #options: GroupsOptions;
  readonly #sources = new Map<string, GroupSource>();
  /** By group: what has been asked and not answered. One that hangs is not asked a second time. */
  readonly #underWay = new Map<string, Promise<readonly Row[] | null>>();
  readonly #failing = new Set<string>();
  /** By group: rows that were found to be in order, and are looked at no more if they are given again. */
  readonly #orderly = new Map<string, readonly Row[]>();
  /** When it was told last of each that failed. */
  readonly #toldAt = new Map<string, number>();
  readonly #peaks = new Map<string, GroupPeaks>();
  /** No two readings have the same, so that each is before or after the other. */
  #uptimeMs = Number.NEGATIVE_INFINITY;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /**
   * Adds a group, behind those that there are.
   *
   * @throws RangeError if its description makes no sense, or a group has the name already.
   */
  add(source: GroupSource): this {
    const { description } = source;
    checkDescription(description);
    if (this.#sources.has(description.name))
      throw new RangeError(`there is a group ${description.name} already`);
    this.#sources.set(description.name, source);
    this.#peaks.set(description.name, new GroupPeaks(description));
    return this;
  }

  /** In the order in which they were added. */
  describe(): readonly GroupDescription[] {
    return [...this.#sources.values()].map(({ description }) => description);
  }

  /**
   * Reads these groups, or all. A group whose source throws, gives rows of another length, or does not answer within
   * {@link READ_TIMEOUT_MS} is left out.
   *
   * @param since `uptimeMs` of the reader's own reading before: peaks are the most since then. Without it they are the most since
   * the reading before, whoever made it.
   * @throws UnknownGroup
   */
  async read(names?: Iterable<string>, since?: number): Promise<Reading> {
    const wanted = names === undefined ? [...this.#sources.keys()] : [...new Set(names)];
    const sources = wanted.map((name) => {
      const source = this.#sources.get(name);
      if (source === undefined) throw new UnknownGroup(name, this.#sources.keys());
      return source;
    });
    const { clock, startedAt } = this.#options;
    const at = clock.wall();
    const uptimeMs = Math.max(clock.now() - startedAt, this.#uptimeMs + STEP_MS);
    this.#uptimeMs = uptimeMs;
    const rows = sources.map((source) => this.#shared(source, uptimeMs));
    if (rows.some(isLate)) await this.#inTime(wanted, rows);
    const groups: Record<string, readonly Row[]> = {};
    for (let index = 0; index < wanted.length; index++) {
      const name = wanted[index]!;
      const group = rows[index];
      if (group === null || group === undefined || isLate(group)) continue;
      groups[name] = since === undefined ? group : this.#peaks.get(name)!.since(group, since);
    }
    return { version: 1, at, uptimeMs, groups };
  }

  /** Puts what comes in time in the place of its promise. One timer for all: most groups are read at once and need none. */
  #inTime(names: readonly string[], rows: Answer[]): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      let missing = 0;
      const timer = clock.setTimer(() => {
        for (let index = 0; index < rows.length; index++) {
          if (isLate(rows[index]!))
            this.#failed(names[index]!, new Error(`no answer within ${READ_TIMEOUT_MS} ms`));
        }
        missing = -1;
        resolve();
      }, READ_TIMEOUT_MS);
      for (const [index, late] of rows.entries()) {
        if (!isLate(late)) continue;
        missing++;
        void late.then((group) => {
          // Too late: the reading is the reader's by now.
          if (missing < 0) return;
          rows[index] = group;
          if (--missing > 0) return;
          clock.clearTimer(timer);
          resolve();
        });
      }
    });
  }

  #shared(source: GroupSource, uptimeMs: number): Answer {
    const { name } = source.description;
    const before = this.#underWay.get(name);
    if (before !== undefined) return before;
    let rows: ReturnType<GroupSource['read']>;
    try {
      rows = source.read();
    } catch (error) {
      this.#failed(name, error);
      return null;
    }
    if (isThere(rows)) return this.#checked(source, rows, uptimeMs);
    const read = Promise.resolve(rows).then(
      (later) => this.#checked(source, later, uptimeMs),
      (error: unknown) => {
        this.#failed(name, error);
        return null;
      },
    );
    this.#underWay.set(name, read);
    void read.then(() => this.#underWay.delete(name));
    return read;
  }

  #checked({ description }: GroupSource, rows: readonly Row[], uptimeMs: number): readonly Row[] | null {
    const { name, columns } = description;
    try {
      if (this.#orderly.get(name) !== rows) {
        checkRows(name, columns.length, rows);
        if (Object.isFrozen(rows)) this.#orderly.set(name, rows);
      }
      this.#peaks.get(name)!.add(rows, uptimeMs);
    } catch (error) {
      this.#failed(name, error);
      return null;
    }
    this.#failing.delete(name);
    return rows;
  }

  #failed(name: string, error: unknown): void {
    if (this.#failing.has(name)) return;
    this.#failing.add(name);
    const now = this.#options.clock.now();
    if (now - (this.#toldAt.get(name) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) return;
    this.#toldAt.set(name, now);
    this.#options.onFailure?.(name, error);
  }
}

function checkDescription({ name, version, columns }: GroupDescription): void {
  if (!NAME.test(name)) throw new RangeError(`a group cannot be called "${name}"`);
  if (!Number.isInteger(version) || version < 1)
    throw new RangeError(`bad version of the group ${name}: ${version}`);
  const seen = new Set<string>();
  for (const column of columns) {
    if (!NAME.test(column.name) || seen.has(column.name))
      throw new RangeError(`bad or double column "${column.name}" of the group ${name}`);
    if (!KINDS.includes(column.kind))
      throw new RangeError(`bad kind of ${name}.${column.name}: ${column.kind}`);
    seen.add(column.name);
  }
  if (columns.length === 0) throw new RangeError(`the group ${name} has no columns`);
}

function checkRows(name: string, columns: number, rows: readonly Row[]): void {
  for (const { instance, figures } of rows) {
    if (figures.length !== columns)
      throw new RangeError(
        `the row "${instance}" of ${name} has ${figures.length} figures for ${columns} columns`,
      );
    const odd = figures.findIndex(isOdd);
    if (odd >= 0) throw new RangeError(`the row "${instance}" of ${name} holds ${figures[odd]}`);
  }
}

function isOdd(figure: Figure): boolean {
  return figure !== null && !Number.isFinite(figure);
}

function isThere(rows: ReturnType<GroupSource['read']>): rows is readonly Row[] {
  return Array.isArray(rows);
}

function isLate(answer: Answer): answer is Promise<readonly Row[] | null> {
  return answer instanceof Promise;
}
