import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CpuProfile } from '../../src/metrics/profiles/cpu-profile.js';
import { summarize } from './cpu-profile.js';
import { fixed, markdownTable } from './markdown-table.js';

/** Tables of the functions with the most self time, one for each .cpuprofile file in the folder (or that file). */
export async function profileMarkdown(path: string, top: number): Promise<string> {
  const files = (await stat(path)).isDirectory()
    ? (await readdir(path))
        .filter((name) => name.endsWith('.cpuprofile'))
        .sort()
        .map((name) => join(path, name))
    : [path];
  const tables: string[] = [];
  for (const file of files) {
    const profile = summarize(JSON.parse(await readFile(file, 'utf8')) as CpuProfile, top);
    const idle = fixed((profile.idleMs / profile.totalMs) * 100, 0);
    const table = markdownTable(
      ['function', 'place', 'self ms', 'of the busy time'],
      profile.top.map(({ name, place, ms, share }) => [name, place, fixed(ms, 0), `${fixed(share * 100)} %`]),
    );
    tables.push(`${file}: ${fixed(profile.totalMs, 0)} ms, ${idle} % idle\n\n${table}`);
  }
  return tables.join('\n\n');
}
