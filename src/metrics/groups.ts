import type { Clock } from '../structures/clock.js';
import { GroupPeaks } from './group-peaks.js';
import type { GroupDescription, GroupSource, Reading, Row } from './reading.js';

/** How long a source may take before a reading goes without it. */
export const READ_TIMEOUT_MS = 1000;

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

export interface GroupsOptions {
  readonly clock: Clock;
  /** On this clock: when that which is read has started. */
  readonly startedAt: number;
  /** A source threw, or did not answer in time; told once until it is well again. */
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
    const rows = await Promise.all(sources.map((source) => this.#inTime(source, uptimeMs)));
    const groups: Record<string, readonly Row[]> = {};
    for (const [index, name] of wanted.entries()) {
      const group = rows[index];
      if (group === null || group === undefined) continue;
      groups[name] = since === undefined ? group : this.#peaks.get(name)!.since(group, since);
    }
    return { version: 1, at, uptimeMs, groups };
  }

  #inTime(source: GroupSource, uptimeMs: number): Promise<readonly Row[] | null> {
    const { clock } = this.#options;
    const { name } = source.description;
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => {
        this.#failed(name, new Error(`no answer within ${READ_TIMEOUT_MS} ms`));
        resolve(null);
      }, READ_TIMEOUT_MS);
      void this.#shared(source, uptimeMs).then((rows) => {
        clock.clearTimer(timer);
        resolve(rows);
      });
    });
  }

  #shared(source: GroupSource, uptimeMs: number): Promise<readonly Row[] | null> {
    const { name, columns } = source.description;
    const before = this.#underWay.get(name);
    if (before !== undefined) return before;
    const read = (async () => {
      try {
        const rows = await source.read();
        checkRows(name, columns.length, rows);
        this.#peaks.get(name)!.add(rows, uptimeMs);
        this.#failing.delete(name);
        return rows;
      } catch (error) {
        this.#failed(name, error);
        return null;
      }
    })();
    this.#underWay.set(name, read);
    void read.then(() => this.#underWay.delete(name));
    return read;
  }

  #failed(name: string, error: unknown): void {
    if (this.#failing.has(name)) return;
    this.#failing.add(name);
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
    for (const figure of figures) {
      if (figure !== null && !Number.isFinite(figure))
        throw new RangeError(`the row "${instance}" of ${name} holds ${figure}`);
    }
  }
}
