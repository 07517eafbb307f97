import { Exit, type ExitReason } from '../actors/index.js';
import type { CheckedSpec } from './child-spec.js';

/** What happens to the others when a child is restarted: nothing; all are; those started after it are. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** Whether the supervisor ends when one, or the last, of its significant children has ended by itself. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/** What a supervisor is, with everything filled in. */
export interface CheckedFlags {
  readonly strategy: Strategy | 'simple_one_for_one';
  readonly intensity: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
}

/** What is wrong with a specification: OTP's `{problem, value}`. */
export interface Flaw {
  readonly problem: string;
  readonly value: unknown;
}

export type Checked<T> =
  | { readonly ok: T; readonly flaw?: undefined }
  | { readonly ok?: undefined; readonly flaw: Flaw };

/** A flaw as the reason of whoever cannot start, or be changed, for it. */
export function badSpec(of: 'supervisor_data' | 'start_spec' | 'child_spec', flaw: Flaw): ExitReason {
  return { type: 'bad_spec', of, problem: flaw.problem, value: flaw.value };
}

type Unchecked = { readonly [field: string]: unknown };

function bad(problem: string, value: unknown): { readonly flaw: Flaw } {
  return { flaw: { problem, value } };
}

function isRecord(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** No modules are named. */
const NO_MODULES: readonly string[] = [];

/** Fills in the defaults of a supervisor's flags, or finds the first flaw, in OTP's order. */
export function checkFlags(flags: unknown): Checked<CheckedFlags> {
  if (!isRecord(flags)) return bad('invalid_type', flags);
  const { strategy = 'one_for_one', intensity = 1, periodMs = 5000, autoShutdown = 'never' } = flags;
  if (
    strategy !== 'one_for_one' &&
    strategy !== 'one_for_all' &&
    strategy !== 'rest_for_one' &&
    strategy !== 'simple_one_for_one'
  ) {
    return bad('invalid_strategy', strategy);
  }
  if (!isIntensity(intensity)) return bad('invalid_intensity', intensity);
  if (!isPeriod(periodMs)) return bad('invalid_period', periodMs);
  if (autoShutdown !== 'never' && autoShutdown !== 'any_significant' && autoShutdown !== 'all_significant') {
    return bad('invalid_auto_shutdown', autoShutdown);
  }
  if (autoShutdown !== 'never' && strategy === 'simple_one_for_one') {
    return bad('bad_combination', [
      ['auto_shutdown', autoShutdown],
      ['strategy', strategy],
    ]);
  }
  return { ok: { strategy, intensity, periodMs, autoShutdown } };
}

/** How many restarts may be allowed. */
export function isIntensity(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

/** In which time, in ms. */
export function isPeriod(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}

/** Fills in the defaults of a child specification, or finds the first flaw, in OTP's order. */
export function checkSpec(spec: unknown, autoShutdown: AutoShutdown): Checked<CheckedSpec> {
  if (!isRecord(spec)) return bad('invalid_child_spec', spec);
  const {
    id,
    start,
    restart = 'permanent',
    significant = false,
    type = 'worker',
    modules = NO_MODULES,
  } = spec;
  if (id === undefined) return bad('missing_id', spec);
  if (start === undefined) return bad('missing_start', spec);
  if (typeof id !== 'string') return bad('invalid_id', id);
  if (typeof start !== 'function') return bad('invalid_start', start);
  if (restart !== 'permanent' && restart !== 'transient' && restart !== 'temporary') {
    return bad('invalid_restart_type', restart);
  }
  if (typeof significant !== 'boolean') return bad('invalid_significant', significant);
  if (significant && autoShutdown === 'never') return significantBeside('auto_shutdown', autoShutdown);
  if (significant && restart === 'permanent') return significantBeside('restart', restart);
  if (type !== 'worker' && type !== 'supervisor') return bad('invalid_child_type', type);
  const { shutdown = type === 'supervisor' ? 'infinity' : 5000 } = spec;
  if (shutdown !== 'brutal_kill' && shutdown !== 'infinity' && !isTime(shutdown)) {
    return bad('invalid_shutdown', shutdown);
  }
  if (modules !== 'dynamic') {
    if (!Array.isArray(modules)) return bad('invalid_modules', modules);
    for (const module of modules) if (typeof module !== 'string') return bad('invalid_module', module);
  }
  return {
    ok: {
      id,
      start: start as CheckedSpec['start'],
      restart,
      shutdown,
      type,
      significant,
      modules: modules as CheckedSpec['modules'],
    },
  };
}

function significantBeside(field: string, value: string): { readonly flaw: Flaw } {
  return bad('bad_combination', [
    [field, value],
    ['significant', true],
  ]);
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

/** All children of a supervisor: none of their ids may be there twice. */
export function checkSpecs(specs: unknown, autoShutdown: AutoShutdown): Checked<CheckedSpec[]> {
  if (!Array.isArray(specs)) return bad('invalid_children', specs);
  const checked: CheckedSpec[] = [];
  const ids = new Set<string>();
  for (const spec of specs as unknown[]) {
    const { ok, flaw } = checkSpec(spec, autoShutdown);
    if (flaw !== undefined) return { flaw };
    if (ids.has(ok.id)) return bad('duplicate_child_name', ok.id);
    ids.add(ok.id);
    checked.push(ok);
  }
  return { ok: checked };
}

type WithChildren = { readonly children?: unknown };

/** The flags of what an init returned. Throws an Exit that names the flaw. */
export function checkedFlags(spec: unknown): CheckedFlags {
  if (!isRecord(spec)) throw new Exit({ type: 'bad_return', value: spec });
  const { ok, flaw } = checkFlags(spec);
  if (flaw !== undefined) throw new Exit(badSpec('supervisor_data', flaw));
  return ok;
}

/** Its children. Throws an Exit that names the flaw. */
export function checkedSpecs(spec: WithChildren, flags: CheckedFlags): readonly CheckedSpec[] {
  if (flags.strategy === 'simple_one_for_one') throw wrongStrategy(flags);
  const { ok, flaw } = checkSpecs(spec.children ?? [], flags.autoShutdown);
  if (flaw !== undefined) throw new Exit(badSpec('start_spec', flaw));
  return ok;
}

/** Its one child, which is a template. Throws an Exit that names the flaw. */
export function checkedTemplate(spec: WithChildren, flags: CheckedFlags): CheckedSpec {
  if (flags.strategy !== 'simple_one_for_one') throw wrongStrategy(flags);
  const { children = [] } = spec;
  if (!Array.isArray(children) || children.length !== 1) {
    throw new Exit(badSpec('start_spec', { problem: 'bad_start_spec', value: children }));
  }
  return checkedSpecs(spec, { ...flags, strategy: 'one_for_one' })[0]!;
}

/** A supervisor of templates stays one, whatever is changed, and another one stays another. */
function wrongStrategy({ strategy }: CheckedFlags): Exit {
  return new Exit(badSpec('supervisor_data', { problem: 'invalid_strategy', value: strategy }));
}
