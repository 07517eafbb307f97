import { join } from 'node:path';
import { longestOfSchedulers } from '../measure/loop-pauses.js';
import { fixed, markdownTable, whole } from '../measure/markdown-table.js';
import { profileMarkdown } from '../measure/profile-markdown.js';
import { median } from '../measure/statistics.js';
import { ejabberdModules, startEjabberd } from './ejabberd-server.js';
import type { Dialect, RoundOptions } from './load-messages.js';
import { startRelay } from './relay-server.js';
import { startRookery } from './rookery-server.js';
import { Contestant, type Round } from './rounds.js';
import type { ServerUnderTest } from './server-under-test.js';

export interface ChatOptions {
  readonly pairs: number;
  /** Messages that each client keeps in flight; the first one is the headline. */
  readonly windows: readonly number[];
  /** Messages a second of all clients together, for the latency at a moderate load; none: left out. */
  readonly rates: readonly number[];
  readonly bodyBytes: number;
  readonly rounds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly only: readonly Dialect[];
  /** Rookery is measured with each of these numbers of schedulers; what is special only with the largest. */
  readonly schedulers: readonly number[];
  /** After each series one more round of Rookery's is watched for pauses of its event loops. */
  readonly pauses: boolean;
  /** After each series one more round is profiled, and the profiles of the server's threads go here. */
  readonly profileFolder: string | undefined;
}

/** One line of the report: the medians of a contestant's rounds under one load. */
export interface ChatLine {
  readonly label: string;
  readonly load: string;
  readonly rounds: readonly Round[];
  readonly messagesPerSecond: number;
  readonly messagesPerCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly serverCores: number;
  readonly generatorCores: number;
  readonly generatorBusy: number;
  /** Messages a second, and for each CPU-second, as a part of the relay's under the same load and with the same batching. */
  readonly toRelay: number;
  readonly toRelayPerCpu: number;
  /**
   * Messages for each CPU-second as a part of those of Rookery with the first number of schedulers: the median of
   * the ratios within each round.
   */
  readonly toFirstPerCpu: number;
  readonly locality: number;
  readonly atHome: number;
  /** The longest pause of a scheduler's event loop, in one more round; NaN: not measured. */
  readonly pauseMs: number;
}

export interface ChatReport {
  readonly options: ChatOptions;
  readonly lines: readonly ChatLine[];
  readonly notes: readonly string[];
}

/**
 * Pairs of clients over loopback, each message stored, acknowledged, delivered and receipted; beside it the raw
 * relay with and without batching, and ejabberd where it is installed. All servers are started once; the rounds
 * go in turn through all of them, so that a machine that gets slower gets slower for everybody.
 */
export async function benchChat(options: ChatOptions, say: (text: string) => void): Promise<ChatReport> {
  const servers: ServerUnderTest[] = [];
  const contestants: Contestant[] = [];
  const notes: string[] = [];
  const wanted = (dialect: Dialect) => options.only.length === 0 || options.only.includes(dialect);
  const generator = {
    bodyBytes: options.bodyBytes,
    sourceAddresses: 1,
    firstPhone: 49_100_000_000,
    settleMsMax: 20_000,
  };
  const enter = async (label: string, dialect: Dialect, server: ServerUnderTest) => {
    if (!servers.includes(server)) servers.push(server);
    contestants.push(await Contestant.enter(label, dialect, server, options.pairs, generator));
  };
  const inspected = options.pauses || options.profileFolder !== undefined;
  const most = Math.max(...options.schedulers);
  const rookery = (schedulers = most) => startRookery({ inspected, schedulers });
  try {
    if (wanted('rookery')) {
      for (const schedulers of options.schedulers) {
        const label = `Rookery, ${schedulers} scheduler${schedulers === 1 ? '' : 's'}`;
        await enter(label, 'rookery', await rookery(schedulers));
      }
    }
    if (wanted('rookery-away') && most > 1) {
      await enter(`Rookery, ${most}, common port`, 'rookery-away', await rookery());
    }
    if (wanted('relay')) await enter('raw relay', 'relay', await startRelay());
    if (wanted('rookery-batched')) await enter('Rookery, batched', 'rookery-batched', await rookery());
    if (wanted('relay-batched')) await enter('raw relay, batched', 'relay-batched', await startRelay());
    const modules = wanted('xmpp') ? ejabberdModules() : null;
    if (modules !== null) {
      try {
        await enter('ejabberd', 'xmpp', await startEjabberd(modules, options.pairs * 2));
      } catch (error) {
        notes.push(`ejabberd is installed but could not be measured: ${(error as Error).message}`);
      }
    } else if (wanted('xmpp')) notes.push('ejabberd is not installed here.');
    const lines: ChatLine[] = [];
    for (const load of loads(options)) {
      // With one message in flight there is nothing to batch.
      const taking = contestants.filter((one) => load.window > 1 || !one.dialect.endsWith('-batched'));
      lines.push(...(await measure(load, taking, options, say)));
      const { profileFolder } = options;
      if (profileFolder === undefined) continue;
      for (const contestant of taking) {
        if (contestant.server.inspectorPort === 0) continue;
        const folder = join(profileFolder, `${contestant.dialect}-${load.name.replaceAll(/\W+/g, '-')}`);
        await contestant.round({ ...load, warmupMs: 0, measureMs: options.measureMs }, folder);
        notes.push(await profileMarkdown(folder, 12));
      }
    }
    return { options, lines, notes };
  } finally {
    for (const contestant of contestants) contestant.leave();
    for (const server of servers) await server.stop();
  }
}

interface Load {
  readonly name: string;
  readonly window: number;
  readonly rate: number;
}

function loads(options: ChatOptions): Load[] {
  return [
    ...options.windows.map((window) => ({ name: `${window} in flight`, window, rate: 0 })),
    ...options.rates.map((rate) => ({ name: `${whole(rate)} a second`, window: 0, rate })),
  ];
}

async function measure(
  load: Load,
  contestants: readonly Contestant[],
  options: ChatOptions,
  say: (text: string) => void,
): Promise<ChatLine[]> {
  const measured = new Map<Contestant, Round[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of contestants) {
      // What the first round has warmed up stays warm.
      const warmupMs = round === 0 ? options.warmupMs : Math.min(options.warmupMs, 500);
      const order: RoundOptions = {
        window: load.window,
        rate: load.rate,
        warmupMs,
        measureMs: options.measureMs,
      };
      const result = await contestant.round(order);
      measured.get(contestant)?.push(result);
      say(
        `${load.name}, round ${round + 1}: ${contestant.label}: ${whole(result.messagesPerSecond)}/s, ` +
          `${whole(result.messagesPerCpuSecond)} for each CPU-second, p50 ${fixed(result.p50Ms, 2)} ms, ` +
          `p99 ${fixed(result.p99Ms, 2)} ms, generator ${fixed(result.generatorBusy * 100, 0)} % busy`,
      );
    }
  }
  const pauses = new Map<Contestant, number>();
  for (const contestant of contestants) {
    if (!options.pauses || !isRookery(contestant) || contestant.server.inspectorPort === 0) continue;
    const { window, rate } = load;
    const order = { window, rate, warmupMs: 0, measureMs: options.measureMs * options.rounds };
    pauses.set(contestant, longestOfSchedulers(await contestant.pauses(order)));
  }
  return contestants.map((contestant) => {
    const of = (value: (round: Round) => number) => median((measured.get(contestant) ?? []).map(value));
    const relay = relayOf(contestant, contestants);
    const toRelay = (value: (round: Round) => number) =>
      relay === undefined ? Number.NaN : of(value) / median((measured.get(relay) ?? []).map(value));
    return {
      label: contestant.label,
      load: load.name,
      rounds: measured.get(contestant) ?? [],
      messagesPerSecond: of((round) => round.messagesPerSecond),
      messagesPerCpuSecond: of((round) => round.messagesPerCpuSecond),
      p50Ms: of((round) => round.p50Ms),
      p99Ms: of((round) => round.p99Ms),
      packetsIn: of((round) => round.packetsIn),
      packetsOut: of((round) => round.packetsOut),
      serverCores: of((round) => round.serverCpuSeconds / round.seconds),
      generatorCores: of((round) => round.generatorCpuSeconds / round.seconds),
      generatorBusy: of((round) => round.generatorBusy),
      toRelay: toRelay((round) => round.messagesPerSecond),
      toRelayPerCpu: toRelay((round) => round.messagesPerCpuSecond),
      toFirstPerCpu: median(
        ratios(measured.get(contestant), measured.get(contestants.find(isRookery) ?? contestant)),
      ),
      locality: of((round) => round.locality),
      atHome: of((round) => round.atHome),
      pauseMs: pauses.get(contestant) ?? Number.NaN,
    };
  });
}

function isRookery({ dialect }: Contestant): boolean {
  return dialect.startsWith('rookery');
}

/** Round by round: what else the machine did in it slowed down both. */
function ratios(rounds: readonly Round[] = [], others: readonly Round[] = []): number[] {
  return rounds.map((round, at) => round.messagesPerCpuSecond / others[at]!.messagesPerCpuSecond);
}

/** Who batches is compared with the relay that gets batches, everybody else with the one that does not. */
function relayOf(contestant: Contestant, contestants: readonly Contestant[]): Contestant | undefined {
  const dialect = contestant.dialect.endsWith('-batched') ? 'relay-batched' : 'relay';
  return contestants.find((other) => other.dialect === dialect);
}

function isOurs(line: ChatLine): boolean {
  return line.label.startsWith('Rookery');
}

export function chatMarkdown(report: ChatReport): string {
  const { pairs, bodyBytes, rounds, measureMs } = report.options;
  const table = markdownTable(
    [
      'chat',
      'load',
      'messages/s',
      'per CPU-second',
      'of the relay',
      'of 1st',
      'p50 ms',
      'p99 ms',
      'packets in',
      'out',
      'local',
      'pause ms',
      'server cores',
      'generator cores',
      'busy',
    ],
    report.lines.map((line) => [
      line.label,
      line.load,
      whole(line.messagesPerSecond),
      whole(line.messagesPerCpuSecond),
      `${fixed(line.toRelayPerCpu * 100, 0)} %`,
      isOurs(line) ? `${fixed(line.toFirstPerCpu * 100, 0)} %` : '',
      fixed(line.p50Ms, 2),
      fixed(line.p99Ms, 2),
      fixed(line.packetsIn, 2),
      fixed(line.packetsOut, 2),
      Number.isNaN(line.locality) ? '' : `${fixed(line.locality * 100, 0)} %`,
      Number.isNaN(line.pauseMs) ? '' : fixed(line.pauseMs, 1),
      fixed(line.serverCores, 2),
      fixed(line.generatorCores, 2),
      `${fixed(line.generatorBusy * 100, 0)} %`,
    ]),
  );
  const notes = [
    `${pairs} pairs, bodies of ${bodyBytes} bytes, medians of ${rounds} rounds of ${measureMs / 1000} s. ` +
      'Every message of Rookery is on disk before it is acknowledged, delivered, acknowledged by the recipient ' +
      'and receipted; each arrived exactly once and in order, or the run would have failed. The relay and ' +
      'ejabberd store and acknowledge nothing.',
    'Packets: WebSocket messages (ejabberd: reads and writes of the client) to and from the server for each ' +
      'message delivered. “Of the relay”: messages for each CPU-second of the server process, compared with the ' +
      'relay under the same load. Batched: all messages that a client sends in one turn share a WebSocket ' +
      'message; otherwise each has its own. Busy: the load generator’s event loop.',
    ...report.notes,
  ];
  return `${table}\n\n${notes.join('\n\n')}\n`;
}
