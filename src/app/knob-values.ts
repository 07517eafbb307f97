import { type Config, type SettingName, withValues } from './config.js';
import type { Setting } from './setting.js';
import { SETTINGS } from './settings.js';

/** Settings that can be changed while the server runs. */
export type KnobName = Extract<(typeof SETTINGS)[number], { readonly knob: true }>['name'];

export type KnobChanges = Partial<Pick<Config, KnobName>>;

const KNOBS = new Set<string>(
  (SETTINGS as readonly Setting[]).filter(({ knob }) => knob).map(({ name }) => name),
);

export function isKnob(name: string): name is KnobName {
  return KNOBS.has(name);
}

export function knobNames(): readonly KnobName[] {
  return [...KNOBS] as KnobName[];
}

/**
 * The configuration of a thread as it is now: what the server was started with, and the knobs that were turned since.
 *
 * Each thread has one of its own, and hears of changes by a message. Not by shared memory: knobs are texts and lists as
 * well as numbers, what depends on them is derived (token rates, frozen options), and a change of several must be seen
 * whole. A message is handled between two turns, so whoever reads a value reads it for nothing, as a field.
 */
export class KnobValues {
  #config: Config;
  /** The same in one object whose fields change: for whoever reads a value whenever he wants it. */
  readonly live: Config;
  readonly #uses: { readonly names: ReadonlySet<string>; readonly apply: (config: Config) => void }[] = [];

  constructor(config: Config) {
    this.#config = config;
    this.live = { ...config };
  }

  /** As it is now. Frozen: what it says does not change under whoever holds it. */
  get config(): Config {
    return this.#config;
  }

  /** Knobs that something in this thread heeds. */
  get used(): readonly string[] {
    return [...new Set(this.#uses.flatMap(({ names }) => [...names]))];
  }

  /** Has `apply` called whenever one of these has changed, not now. Without it: `live` is read. */
  use(names: readonly KnobName[], apply: (config: Config) => void = () => {}): this {
    this.#uses.push({ names: new Set(names), apply });
    return this;
  }

  /**
   * Makes an object of the configuration, and makes it anew, in the same object, whenever a knob has changed that it was made
   * of: its holders read its fields each time.
   */
  derive<T extends object>(make: (config: Config) => T): T {
    const read = new Set<string>();
    const recorded = new Proxy(this.#config, {
      get: (config, name) => {
        read.add(String(name));
        return config[name as SettingName];
      },
    });
    const made = make(recorded);
    this.use([...read].filter(isKnob), (config) => void Object.assign(made, make(config)));
    return made;
  }

  /** Turns knobs: effective when this returns. What throws is a bug of who heeds them; the others heed them all the same. */
  change(changes: KnobChanges): void {
    const names = Object.keys(changes) as SettingName[];
    const unknown = names.find((name) => !isKnob(name));
    if (unknown !== undefined) throw new RangeError(`${unknown} is not a knob`);
    this.#config = withValues(this.#config, changes);
    Object.assign(this.live, changes);
    const errors: unknown[] = [];
    for (const { names: used, apply } of this.#uses) {
      if (!names.some((name) => used.has(name))) continue;
      try {
        apply(this.#config);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
