/** What `rookery code` says. */
import type { Held, ModuleReport, Release, ReleaseRecord, VersionFigures } from '../../hot-code/index.js';

export interface CodeList {
  readonly modules: readonly ModuleReport[];
  readonly probations: readonly { readonly number: number; readonly ageMs: number }[];
  /** Schedulers that did not answer. */
  readonly silent: readonly string[];
}

export function listInWords({ modules, probations, silent }: CodeList, now: number): string {
  const rows = [['module', 'version', 'hash', 'age', 'processes', 'calls', 'failed', '']];
  const row = (module: string, version: VersionFigures, what: string) => {
    const { number, hash, loadedAt, users, calls, failures } = version;
    rows.push([
      module,
      String(number),
      hash,
      ageInWords(now - loadedAt),
      String(users),
      String(calls),
      String(failures),
      what,
    ]);
  };
  for (const { module, current, previous, canary, canaryShare, differs } of modules) {
    row(module, current, differs === true ? 'not in all schedulers' : '');
    if (canary !== null) row('', canary, `canary, ${(canaryShare * 100).toFixed(1)} %`);
    if (previous !== null) row('', previous, 'previous');
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const table = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  if (probations.length + silent.length > 0) table.push('');
  if (silent.length > 0) table.push(`without ${silent.join(', ')}: no answer`);
  for (const { number, ageMs } of probations)
    table.push(`release ${number} is on probation since ${ageInWords(ageMs)}`);
  return table.join('\n');
}

export function releaseInWords({ record, preparedMs, effectiveMs, late, ...tried }: Release): string {
  const modules = record.modules.map(({ module, version }) => `${module} is version ${version}`).join(', ');
  const times = `ready after ${preparedMs.toFixed(0)} ms, effective ${effectiveMs.toFixed(1)} ms later`;
  const without =
    late.length === 0 ? '' : `; ${late.join(', ')} did not answer, and will follow as soon as it can`;
  return `release ${record.number} (${record.kind}): ${modules}; ${times}${triedInWords(tried)}${without}`;
}

export function triedInWords({
  tried,
  notTried,
}: {
  readonly tried: number;
  readonly notTried: number;
}): string {
  if (tried + notTried === 0) return '';
  return `; tried on ${tried} live states${notTried === 0 ? '' : `, ${notTried} could not be copied`}`;
}

export function leftInWords(held: Held): string {
  if (held.users > 0)
    return `${held.module}: ${holdersInWords(held)} still ${held.users === 1 ? 'runs' : 'run'} the previous version; --hard would end ${held.users === 1 ? 'it' : 'them'}`;
  return `${held.module}: release ${held.probation} is on probation, and would go back to the previous version; --hard lets go of it`;
}

export function holdersInWords({ users, processes }: Held): string {
  if (processes.length === 0) return `${users} ${users === 1 ? 'request' : 'requests'} under way`;
  const more = users > processes.length ? `, and ${users - processes.length} more` : '';
  return `${users} (${processes.join(', ')}${more})`;
}

export function recordInWords({
  number,
  kind,
  modules,
  author,
  message,
  at,
  evidence,
}: ReleaseRecord): string {
  const what = modules
    .map(({ module, version, hash }) => `${module}@${version}${hash === '' ? '' : ` ${hash}`}`)
    .join(', ');
  const why = [message, evidence].filter((text) => text !== undefined && text !== '').join(': ');
  return `${number}  ${new Date(at).toISOString()}  ${kind}  ${what}  by ${author}${why === '' ? '' : `  ${why}`}`;
}

function ageInWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
