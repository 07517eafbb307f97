/** What schedulers cost and save in the whole server: `npm run bench -- schedulers`, behind run.ts. */
import { parseArgs } from 'node:util';
import { longestOfSchedulers } from '../measure/loop-pauses.js';
import { fixed, markdownTable, whole } from '../measure/markdown-table.js';
import { median } from '../measure/statistics.js';
import { benchFailover, type Failover } from './failover.js';
import { benchIdle } from './idle.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { quick } = values;
const say = (text: string) => process.stderr.write(`${text}\n`);

// ---- nobody is there ---------------------------------------------------------------------------------------------

const idle = await benchIdle(
  {
    schedulers: [1, 2, 3],
    rounds: quick ? 1 : 3,
    settleMs: quick ? 1000 : 10_000,
    watchMs: quick ? 2000 : 30_000,
  },
  say,
);
console.log(
  markdownTable(
    ['an idle server', 'of a core', 'wake-ups a second', 'MiB resident', 'MiB more than with one fewer'],
    idle.map(({ schedulers, cores, wakes, residentBytes }, index) => {
      const more = residentBytes - (idle[index - 1]?.residentBytes ?? Number.NaN);
      return [
        `${schedulers} scheduler${schedulers === 1 ? '' : 's'}`,
        `${fixed(cores * 100, 2)} %`,
        fixed(wakes),
        fixed(residentBytes / 2 ** 20),
        index === 0 ? '' : fixed(more / 2 ** 20),
      ];
    }),
  ),
);
console.log();

// ---- the death of a scheduler ----------------------------------------------------------------------------------

const deaths = await benchFailover({ sessions: quick ? 1000 : 10_000, rounds: quick ? 1 : 4 }, say);
const at = (times: readonly number[], part: number) =>
  times[Math.ceil(times.length * part) - 1] ?? Number.NaN;
const row = (name: string, of: (death: Failover) => number) => {
  const all = deaths.map(of);
  return [name, whole(median(all)), whole(Math.min(...all)), whole(Math.max(...all))];
};
console.log(
  markdownTable(
    [
      `a scheduler of two dies with ${whole(median(deaths.map(({ lost }) => lost)))} sessions`,
      'ms',
      'best',
      'worst',
    ],
    [
      row('so many opened at leisure, for comparison', ({ openMs, lost }) => openMs * lost),
      row('half of them are welcome again', ({ welcomeMs }) => at(welcomeMs, 0.5)),
      row('all are welcome again', ({ welcomeMs }) => at(welcomeMs, 1)),
      row('half have sent a message and have its receipt', ({ servedMs }) => at(servedMs, 0.5)),
      row('all have sent a message and have its receipt', ({ servedMs }) => at(servedMs, 1)),
      row('its successor serves', ({ threadMs }) => threadMs),
      row('longest pause of the other scheduler', ({ pauses }) => longestOfSchedulers(pauses)),
    ],
  ),
);
const perSession = median(deaths.map(({ cpuSeconds, lost }) => (cpuSeconds * 1e6) / lost));
console.log(
  `\nProcessor time of the server for each session that came back: ${whole(perSession)} µs, the new thread included`,
);
console.log(`Refused attempts to connect: ${fixed(median(deaths.map(({ refused }) => refused)), 0)}\n`);
