import { parseArgs } from 'node:util';
import { LoadGenerator } from './load-generator.js';
import type { Dialect, FromGenerator, ToGenerator } from './load-messages.js';

/**
 * The load generator's process. Started by the benchmarks it takes its orders from the parent (see
 * load-messages.ts); from a terminal it runs one round against a server that is already there:
 *
 *     node dist/bench/chat/load.js --dialect rookery --port 8470 --pin-url http://127.0.0.1:8471/… --pairs 50
 */
if (process.send === undefined) await alone();
else serve();

function serve(): void {
  const tell = (message: FromGenerator) => process.send?.(message);
  let generator: LoadGenerator | null = null;
  const obey = async (order: ToGenerator): Promise<void> => {
    if (order.type === 'setup') {
      generator = new LoadGenerator(order.options);
      generator.shared.pinWanted = (phone) => tell({ type: 'pin-wanted', phone });
      tell({ type: 'done' });
      return;
    }
    if (generator === null) throw new Error('no setup');
    switch (order.type) {
      case 'open':
        await generator.open(order.port, order.count, order.parallel);
        tell({ type: 'done' });
        break;
      case 'pin':
        generator.pin(order.phone, order.pin);
        break;
      case 'run': {
        const result = await generator.run(
          order.round,
          () => tell({ type: 'measuring' }),
          () => tell({ type: 'measured' }),
        );
        tell({ type: 'result', result });
        break;
      }
      case 'expect-losses':
        generator.expectLosses(order.port);
        tell({ type: 'done' });
        break;
      case 'await-returns':
        tell({ type: 'returned', result: await generator.returned(order.count, order.msMax) });
        break;
      case 'close':
        generator.close();
        tell({ type: 'done' });
        break;
    }
  };
  process.on('message', (order) => {
    obey(order as ToGenerator).catch((error: Error) => tell({ type: 'failed', error: error.message }));
  });
  process.on('disconnect', () => process.exit());
  tell({ type: 'ready' });
}

async function alone(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dialect: { type: 'string', default: 'rookery' },
      port: { type: 'string', default: '8470' },
      'pin-url': { type: 'string', default: '' },
      pairs: { type: 'string', default: '50' },
      window: { type: 'string', default: '16' },
      rate: { type: 'string', default: '0' },
      body: { type: 'string', default: '120' },
      warmup: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '5' },
    },
  });
  const generator = new LoadGenerator({
    dialect: values.dialect as Dialect,
    bodyBytes: Number(values.body),
    sourceAddresses: 1,
    firstPhone: 49_100_000_000,
    settleMsMax: 20_000,
  });
  generator.shared.pinWanted = (phone) => {
    fetchPin(values['pin-url'], phone).then(
      (pin) => generator.pin(phone, pin),
      (error: Error) => {
        generator.shared.fault ??= `no PIN for ${phone}: ${error.message}`;
      },
    );
  };
  await generator.open(Number(values.port), Number(values.pairs) * 2, 32);
  const rate = Number(values.rate);
  const result = await generator.run(
    {
      window: rate > 0 ? 0 : Number(values.window),
      rate,
      warmupMs: Number(values.warmup) * 1000,
      measureMs: Number(values.seconds) * 1000,
    },
    () => {},
    () => {},
  );
  console.log(JSON.stringify(result, null, 2));
  generator.close();
  process.exit();
}

/** The operator's list of PINs, newest first: an array of `{user, pin}`, or an object that holds one as `pins`. */
async function fetchPin(url: string, phone: number): Promise<string> {
  const response = await fetch(url);
  const answer = (await response.json()) as unknown;
  const pins = (Array.isArray(answer) ? answer : (answer as { pins: unknown }).pins) as {
    user: number;
    pin: string;
  }[];
  const found = pins.find((entry) => entry.user === phone);
  if (found === undefined) throw new Error('not in the list');
  return found.pin;
}
