import type { ModuleReport } from './module-table.js';
import { sumOf, type VersionFigures } from './module-version.js';

/** Of the current versions, by module. */
export function figuresOf(reports: readonly ModuleReport[]): Map<string, VersionFigures> {
  return new Map(reports.map(({ module, current }) => [module, current]));
}

/** The figures of several threads together. */
export function sumReports(reports: readonly (readonly ModuleReport[])[]): ModuleReport[] {
  const byModule = new Map<string, ModuleReport[]>();
  for (const report of reports.flat()) {
    const all = byModule.get(report.module) ?? [];
    all.push(report);
    byModule.set(report.module, all);
  }
  return [...byModule.values()].map((all) => {
    const [first] = all as [ModuleReport];
    return {
      module: first.module,
      canaryShare: first.canaryShare,
      current: sumOf(all.map(({ current }) => current))!,
      previous: sumOf(all.flatMap(({ previous }) => previous ?? [])),
      canary: sumOf(all.flatMap(({ canary }) => canary ?? [])),
      differs: all.some(
        ({ current, previous, canary }) =>
          current.number !== first.current.number ||
          previous?.number !== first.previous?.number ||
          canary?.number !== first.canary?.number,
      ),
    };
  });
}
