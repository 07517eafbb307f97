import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchChat, chatMarkdown } from './chat/chat.js';
import type { Dialect } from './chat/load-messages.js';
import { machineLine, thisMachine } from './measure/machine.js';
import { benchMemory, memoryMarkdown } from './memory/sessions.js';

const HELP = `npm run bench -- [what …] [options]

What: chat, memory (both by default), and the programs beside them: store, protocol, runtime,
schedulers, nact, wsar.

  --quick            a sanity check of 20 seconds instead of a measurement
  --pairs N          pairs of clients (50)
  --window N,N       messages that each client keeps in flight, for each series (16,1)
  --rate N,N         series at fixed rates, messages a second of all clients together (5000)
  --body N           bytes of a message's body (120)
  --rounds N         rounds of each series, of which the median counts (3)
  --seconds N        of each round (2)
  --only A,B         rookery, rookery-away, relay, rookery-batched, relay-batched, xmpp
  --schedulers N,N   numbers of schedulers that Rookery is measured with (1,2)
  --pauses           one more round of each series of Rookery's, watched for pauses of its event loops
  --cpu-prof FOLDER  one more round of each series with CPU profiles of the server's threads,
                     summed up in the output and again by: node dist/bench/profile.js FOLDER
  --json FILE        everything that was measured
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    quick: { type: 'boolean', default: false },
    pairs: { type: 'string' },
    window: { type: 'string' },
    rate: { type: 'string' },
    body: { type: 'string', default: '120' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string', default: '' },
    schedulers: { type: 'string', default: '1,2' },
    pauses: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
    json: { type: 'string' },
  },
});

const numbers = (text: string) =>
  text
    .split(',')
    .filter((word) => word !== '' && word !== '0')
    .map(Number);
const say = (text: string) => process.stderr.write(`${text}\n`);

if (values.help) {
  console.log(HELP);
  process.exit();
}
const { quick } = values;
const what = positionals.length > 0 ? positionals : ['chat', 'memory'];
const machine = thisMachine();
const report: Record<string, unknown> = { machine };
console.log(`${machineLine(machine)}\n`);

if (what.includes('chat')) {
  const chat = await benchChat(
    {
      pairs: Number(values.pairs ?? (quick ? 10 : 50)),
      windows: numbers(values.window ?? (quick ? '16' : '16,1')),
      rates: numbers(values.rate ?? (quick ? '' : '5000')),
      bodyBytes: Number(values.body),
      rounds: Number(values.rounds ?? (quick ? 1 : 3)),
      warmupMs: quick ? 500 : 2000,
      measureMs: Number(values.seconds ?? (quick ? 1 : 2)) * 1000,
      only: values.only.split(',').filter((word) => word !== '') as Dialect[],
      schedulers: numbers(values.schedulers),
      pauses: values.pauses,
      profileFolder: values['cpu-prof'],
    },
    say,
  );
  report['chat'] = chat;
  console.log(chatMarkdown(chat));
}
if (what.includes('memory')) {
  const steps = quick ? [200, 1000] : [2000, 6000, 10_000, 14_000, 18_000];
  const memory = await benchMemory({ steps, settleMs: quick ? 200 : 1000 }, say);
  report['memory'] = memory;
  console.log(memoryMarkdown(memory));
}
for (const program of [
  'store',
  'protocol',
  'runtime/run',
  'schedulers/run',
  'schedulers/server',
  'nact',
  'wsar/run',
]) {
  if (!what.includes(program.split('/')[0]!)) continue;
  const script = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
  if (!existsSync(script)) throw new Error(`${script} is missing`);
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
