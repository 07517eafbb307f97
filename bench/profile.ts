import { parseArgs } from 'node:util';
import { profileMarkdown } from './measure/profile-markdown.js';

/**
 * Prints where the time of each thread went: the functions with the most self time in .cpuprofile files.
 *
 *     node dist/bench/profile.js [--top 25] <folder or file …>
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { top: { type: 'string', default: '25' } },
});
if (positionals.length === 0) {
  console.error('Which folder, or which .cpuprofile files?');
  process.exit(2);
}
for (const path of positionals) console.log(`${await profileMarkdown(path, Number(values.top))}\n`);
