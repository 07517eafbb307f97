import type { CpuProfile, CpuProfileFrame } from './cpu-profile.js';

/** Time that one thread spent in one handler, or in what is none. */
export interface HandlerTime {
  /** The kind of process that ran: `session`, `partition`, `registrar`; '' outside of processes. */
  readonly process: string;
  /** `module.function`, such as `session.frame`; in parentheses what no handler has asked for. */
  readonly handler: string;
  readonly samples: number;
  readonly ms: number;
}

/** Where the time of one thread went. */
export interface HandlerTimes {
  readonly ms: number;
  readonly idleMs: number;
  /** What beginning the profile took of the thread: neither in `ms` nor in the rows. */
  readonly ownMs: number;
  readonly samples: number;
  /** The busiest first. What was idle is not in it. */
  readonly rows: readonly HandlerTime[];
}

/** Modules that are changed while the server runs, and what is asked of a client: the handlers. */
const HANDLERS = 'chat/handlers/';
/** Folders of src whose processes have no module of their own there. */
const BEHAVIOURS = [
  'chat/',
  'supervisors/',
  'registry/',
  'nact/',
  'actors/behaviours/',
  'app/',
  'metrics/profiles/',
];
/** By which the runtime enters a process. */
const ENTRIES = new Set([
  'receive',
  'opened',
  'terminate',
  'init',
  'handleCall',
  'handleCast',
  'handleInfo',
  'handleContinue',
  'handleEvent',
]);
/** What the folders of src do that are no processes, in words for the table. */
const PLACES: Readonly<Record<string, string>> = {
  transport: '(sockets)',
  schedulers: '(rings between schedulers)',
  storage: '(rings to the store)',
  actors: '(scheduling)',
  'hot-code': '(scheduling)',
  metrics: '(figures)',
};

/** What beginning and ending a profile costs: the first and the last samples. */
const OWN = '(this profile)';
const PROFILING = /^(app\/profile-answers|metrics\/profiles\/)/;

/** A function of the program, by the folder of src that it is in. */
interface Place {
  readonly folder: string;
  readonly module: string;
  readonly name: string;
  readonly isHandler: boolean;
  readonly isBehaviour: boolean;
  /** Not null: a process is entered here, of this kind. */
  readonly enters: string | null;
}

interface Attributed {
  readonly process: string;
  readonly handler: string;
  readonly isIdle: boolean;
}

/**
 * Adds a profile up by handlers. A sample counts for the function of a handler module that is nearest to where the thread
 * was, so what a handler calls is in its time; else for the nearest function of a process; else for what the thread did
 * then. Which kind of process it was is told by the function through which it was entered: the nearest one, since a message
 * to an idle process is handled on the stack of its sender. A module through which processes are entered is of its own kind,
 * even where V8 has left the function at its entrance out of the stack.
 *
 * @param sources URL of the compiled `src/`, with a slash at its end
 */
export function handlerTimes(profile: CpuProfile, sources: string): HandlerTimes {
  const parents = new Map<number, number>();
  for (const { id, children } of profile.nodes) for (const child of children ?? []) parents.set(child, id);
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const places = new Map<number, Place | null>();
  const placeAt = (id: number): Place | null => {
    let place = places.get(id);
    if (place === undefined) {
      place = placeOf(frames.get(id)!, sources);
      places.set(id, place);
    }
    return place;
  };
  const kinds = new Set(profile.nodes.map(({ id }) => placeAt(id)?.enters ?? null));
  const attributed = new Map<number, Attributed>();
  const rows = new Map<string, { process: string; handler: string; samples: number; us: number }>();
  let us = 0;
  let idleUs = 0;
  let ownUs = 0;
  for (const [index, id] of profile.samples.entries()) {
    // V8's clock may step back between two samples by some µs.
    const delta = Math.max(0, profile.timeDeltas[index] ?? 0);
    let to = attributed.get(id);
    if (to === undefined) {
      to = attribute(id, frames, parents, placeAt, kinds);
      attributed.set(id, to);
    }
    if (to.handler === OWN) {
      ownUs += delta;
      continue;
    }
    us += delta;
    if (to.isIdle) {
      idleUs += delta;
      continue;
    }
    const key = `${to.process} ${to.handler}`;
    let row = rows.get(key);
    if (row === undefined) {
      row = { process: to.process, handler: to.handler, samples: 0, us: 0 };
      rows.set(key, row);
    }
    row.samples++;
    row.us += delta;
  }
  return {
    ms: us / 1000,
    idleMs: idleUs / 1000,
    ownMs: ownUs / 1000,
    samples: profile.samples.length,
    rows: [...rows.values()]
      .sort((a, b) => b.us - a.us)
      .map(({ process, handler, samples, us }) => ({ process, handler, samples, ms: us / 1000 })),
  };
}

/** The rows of several threads in one table: the busiest first. */
export function sumOfRows(threads: readonly HandlerTimes[]): HandlerTime[] {
  const rows = new Map<string, { process: string; handler: string; samples: number; ms: number }>();
  for (const { process, handler, samples, ms } of threads.flatMap(({ rows }) => rows)) {
    const key = `${process} ${handler}`;
    const sum = rows.get(key);
    if (sum === undefined) rows.set(key, { process, handler, samples, ms });
    else {
      sum.samples += samples;
      sum.ms += ms;
    }
  }
  return [...rows.values()].sort((a, b) => b.ms - a.ms);
}

function attribute(
  top: number,
  frames: ReadonlyMap<number, CpuProfileFrame>,
  parents: ReadonlyMap<number, number>,
  placeAt: (id: number) => Place | null,
  kinds: ReadonlySet<string | null>,
): Attributed {
  const { functionName, url } = frames.get(top)!;
  if (url === '') {
    if (functionName === '(idle)') return { process: '', handler: '', isIdle: true };
    if (functionName === '(garbage collector)')
      return { process: '', handler: '(garbage collection)', isIdle: false };
    if (functionName === '(program)') return { process: '', handler: '(native code)', isIdle: false };
  }
  let handler: string | null = null;
  let behaviour: string | null = null;
  let process: string | null = null;
  let elsewhere: string | null = null;
  for (let id: number | undefined = top; id !== undefined; id = parents.get(id)) {
    const place = placeAt(id);
    if (place === null) continue;
    if (place.isHandler) handler ??= place.name;
    else if (place.isBehaviour) behaviour ??= place.name;
    else elsewhere ??= PLACES[place.folder] ?? null;
    process ??= place.isHandler && kinds.has(place.module) ? place.module : place.enters;
    if (process !== null && handler !== null) break;
  }
  const name = handler ?? behaviour ?? elsewhere ?? '(Node and packages)';
  return { process: process ?? '', handler: name, isIdle: false };
}

function placeOf({ url, functionName }: CpuProfileFrame, sources: string): Place | null {
  const name = functionName === '' ? '(anonymous)' : functionName;
  const path = url.startsWith(sources) ? url.slice(sources.length) : null;
  // Code that was loaded into the running server: the path of its file, and behind the @ the number of its release.
  const isLoaded = path === null && /@\d+$/.test(url);
  if (path === null && !isLoaded) return null;
  const isHandler = isLoaded || path!.startsWith(HANDLERS);
  const isBehaviour = isHandler || BEHAVIOURS.some((folder) => path!.startsWith(folder));
  const module = moduleOf(url);
  const kind = module.replace(/@\d+$/, '');
  return {
    folder: path?.split('/')[0] ?? '',
    module: kind,
    name: path !== null && PROFILING.test(path) ? OWN : `${module}.${name}`,
    isHandler,
    isBehaviour,
    enters: isBehaviour && ENTRIES.has(functionName) ? kind : null,
  };
}

/** `session` for …/handlers/session.js, `session@3` for what the third release has loaded. */
function moduleOf(url: string): string {
  const [, module, release] = /([^/\\]*?)(?:\.[cm]?[jt]sx?)?(@\d+)?$/.exec(url)!;
  return `${module}${release ?? ''}`;
}
