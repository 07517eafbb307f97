import type { Change, CodeText, ModuleState } from './operation.js';
import type { ReleaseRecord } from './release.js';
import { ReleaseRefused } from './release.js';

/** How a module stands behind a change. */
export function stateAfter(state: ModuleState, change: Change): ModuleState {
  const { module, current, previous, canary, extra } = state;
  const kept = extra === undefined ? {} : { extra };
  switch (change.type) {
    case 'load': {
      const brought = change.extra === undefined ? {} : { extra: change.extra };
      if (change.canary === null) return { module, current: change.code, previous: current, ...brought };
      const { extra: _, ...others } = state;
      return { ...others, canary: change.code, canaryShare: change.canary, ...brought };
    }
    case 'promote':
      return { module, current: canary!, previous: current, ...kept };
    case 'withdraw':
      return { module, current, ...(previous === undefined ? {} : { previous }), ...kept };
    case 'rollback':
      return { module, current: previous ?? null, previous: current, ...kept };
    case 'purge': {
      const { previous: _, ...others } = state;
      return others;
    }
    case 'restate':
      return state;
  }
}

/** What the history says of a module at a release. */
export function recorded(
  kind: ReleaseRecord['kind'],
  before: ModuleState,
  after: ModuleState,
): ReleaseRecord['modules'][number] {
  const code = kind === 'canary' ? after.canary : kind === 'purge' ? before.previous : after.current;
  return { module: after.module, version: numberOf(code), hash: code?.hash ?? '' };
}

/**
 * The modules of the newest release that is in force: their previous versions are what ran before it.
 *
 * @throws ReleaseRefused
 */
export function newestRelease(states: Iterable<ModuleState>): string[] {
  const all = [...states];
  const newest = Math.max(0, ...all.map(({ current }) => numberOf(current)));
  const undone = Math.max(0, ...all.map(({ previous }) => numberOf(previous)));
  if (newest === 0) {
    throw new ReleaseRefused(
      undone === 0
        ? 'nothing was loaded that could be rolled back'
        : `release ${undone} has been rolled back already, and nothing else was loaded`,
    );
  }
  const modules = all.filter(({ current }) => numberOf(current) === newest);
  for (const state of modules) refuseForward(state);
  return modules.map(({ module }) => module);
}

/** A way back never leads to a newer version: it may be the broken one, that somebody else has just rolled back. @throws ReleaseRefused */
export function refuseForward({ module, current, previous }: ModuleState): void {
  const kept = numberOf(previous);
  if (previous === undefined || kept < numberOf(current)) return;
  throw new ReleaseRefused(
    `${module} was rolled back from version ${kept} already, and what ran before version ${numberOf(current)} is gone: load it again, or go to a release by its number`,
  );
}

/** Which version each module ran behind a release; those that are not in it: the program's own, 0. */
export type Standing = ReadonlyMap<string, number>;

export function standingOf(states: Iterable<ModuleState>): Standing {
  return new Map([...states].map(({ module, current }) => [module, numberOf(current)]));
}

/**
 * The modules that must go to their previous versions, so that all stands as it did behind a release.
 *
 * @throws ReleaseRefused if a version is not kept any more
 */
export function wayTo(release: number, standing: Standing, states: Iterable<ModuleState>): string[] {
  const modules: string[] = [];
  const gone: string[] = [];
  for (const { module, current, previous } of states) {
    const wanted = standing.get(module) ?? 0;
    if (numberOf(current) === wanted) continue;
    if (previous !== undefined && numberOf(previous) === wanted) modules.push(module);
    else gone.push(`version ${wanted} of ${module}`);
  }
  if (gone.length > 0)
    throw new ReleaseRefused(
      `release ${release} cannot be gone back to: ${gone.join(', ')} is not kept any more; load it again`,
    );
  if (modules.length === 0) throw new ReleaseRefused(`all stands as behind release ${release} already`);
  return modules;
}

export function numberOf(code: CodeText | null | undefined): number {
  return code?.number ?? 0;
}
