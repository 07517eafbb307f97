import { Latencies } from './latencies.js';
import type { LoadClient, LoadShared } from './load-client.js';
import type { GeneratorOptions, ReturnResult, RoundOptions, RoundResult } from './load-messages.js';
import { RelayClient } from './relay-client.js';
import { Returns } from './returns.js';
import { type Credentials, RookeryClient } from './rookery-client.js';
import { storedCredentials } from './stored-accounts.js';
import { Turn } from './turn.js';
import { XmppClient } from './xmpp-client.js';

const TICK_MS = 1;

/** Pairs of clients, and rounds of load through them. */
export class LoadGenerator {
  readonly shared: LoadShared & { pinWanted: (phone: number) => void };
  readonly #options: GeneratorOptions;
  readonly #credentials: (Credentials | null)[] = [];
  #clients: LoadClient[] = [];

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.shared = {
      turn: new Turn(),
      latencies: new Latencies(),
      bodyBytes: options.bodyBytes,
      window: 0,
      stopped: true,
      measuring: false,
      delivered: 0,
      acked: 0,
      receipted: 0,
      fault: null,
      returns: null,
      pinWanted: () => {},
    };
  }

  /** Opens clients, `parallel` at a time, until there are `count`: an even number, since they come in pairs. */
  async open(port: number, count: number, parallel: number): Promise<void> {
    const first = this.#clients.length;
    for (let index = first; index < count; index++) this.#clients.push(this.#make(index));
    for (let index = first; index < count; index++) this.#clients[index]!.partner = this.#clients[index ^ 1]!;
    let next = first;
    const worker = async () => {
      while (next < count) await this.#clients[next++]!.open(port);
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  }

  pin(phone: number, pin: string): void {
    const client = this.#clients[phone - this.#options.firstPhone];
    if (client instanceof RookeryClient) client.verify(pin);
  }

  close(): void {
    for (const client of this.#clients) {
      client.close();
      if (!(client instanceof RookeryClient) || client.credentials === null) continue;
      client.credentials.firstMessageId += client.sent;
      this.#credentials[client.index] = client.credentials;
    }
    this.#clients = [];
    // Whoever was cut off before, by the server, is of no interest any more.
    this.shared.fault = null;
  }

  /** From now on lost connections come back, to this port. */
  expectLosses(port: number): void {
    this.shared.returns = new Returns(port);
  }

  /** Waits until at least `count` clients were lost and all of them are served again. */
  async returned(count: number, msMax: number): Promise<ReturnResult> {
    const { shared } = this;
    const { returns } = shared;
    if (returns === null) throw new Error('losses are not expected');
    let isOver = false;
    const complete = returns.complete(count).then(() => {
      isOver = true;
    });
    const deadline = performance.now() + msMax;
    while (!isOver) {
      if (performance.now() > deadline) {
        throw new Error(
          `${returns.lost} of ${count} were lost, ${returns.welcome.length} are welcome, ${returns.served.length} served`,
        );
      }
      await Promise.race([complete, this.#wait(50)]);
    }
    const { lost, welcome, served, refused } = returns;
    shared.returns = null;
    return { lost, refused, welcomeMs: welcome, servedMs: served };
  }

  async run(round: RoundOptions, measuring: () => void, measured: () => void): Promise<RoundResult> {
    const { shared } = this;
    shared.window = round.window;
    shared.stopped = false;
    shared.latencies.reset();
    for (const client of this.#clients) shared.turn.mark(client);
    const pacer = round.window === 0 ? this.#pace(round.rate) : null;

    await this.#wait(round.warmupMs);
    const before = this.#counts();
    const cpu = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    const start = performance.now();
    shared.measuring = true;
    measuring();
    await this.#wait(round.measureMs);
    shared.measuring = false;
    const seconds = (performance.now() - start) / 1000;
    measured();
    const after = this.#counts();
    const used = process.cpuUsage(cpu);
    const busy = performance.eventLoopUtilization(loop).utilization;

    shared.stopped = true;
    if (pacer !== null) clearInterval(pacer);
    for (const client of this.#clients) client.dropPaced();
    await this.#settle();
    const delivered = after.delivered - before.delivered;
    const { latencies } = shared;
    return {
      seconds,
      delivered,
      messagesPerSecond: delivered / seconds,
      acked: after.acked - before.acked,
      receipted: after.receipted - before.receipted,
      p50Ms: latencies.percentile(0.5),
      p99Ms: latencies.percentile(0.99),
      p999Ms: latencies.percentile(0.999),
      packetsIn: (after.packets.out - before.packets.out) / delivered,
      packetsOut: (after.packets.in - before.packets.in) / delivered,
      generatorCpuSeconds: (used.user + used.system) / 1e6,
      generatorBusy: busy,
    };
  }

  #make(index: number): LoadClient {
    const { dialect, sourceAddresses, firstPhone, areStored = false } = this.#options;
    const phone = firstPhone + index;
    const localAddress = sourceAddresses > 1 ? `127.0.0.${1 + (index % sourceAddresses)}` : '';
    switch (dialect) {
      case 'rookery':
      case 'rookery-batched':
      case 'rookery-away':
        return new RookeryClient(
          this.shared,
          index,
          phone,
          this.#credentials[index] ?? (areStored ? storedCredentials(phone) : null),
          { batched: dialect === 'rookery-batched', movesHome: dialect !== 'rookery-away', localAddress },
        );
      case 'relay':
        return new RelayClient(this.shared, index, false, localAddress);
      case 'relay-batched':
        return new RelayClient(this.shared, index, true, localAddress);
      case 'xmpp':
        return new XmppClient(this.shared, index);
    }
  }

  /** Hands messages to the clients in turn. One that is due between two ticks is due at the later one. */
  #pace(rate: number): NodeJS.Timeout {
    const start = performance.now();
    let handed = 0;
    return setInterval(() => {
      const now = performance.now();
      const due = Math.floor(((now - start) / 1000) * rate);
      while (handed < due) {
        const at = start + Math.ceil((handed / rate) * 1000);
        this.#clients[handed % this.#clients.length]!.pace(Math.min(at, now));
        handed++;
      }
    }, TICK_MS);
  }

  #counts() {
    const { delivered, acked, receipted } = this.shared;
    const packets = { in: 0, out: 0 };
    for (const client of this.#clients) {
      const counted = client.packets();
      packets.in += counted.in;
      packets.out += counted.out;
    }
    return { delivered, acked, receipted, packets };
  }

  /** Waits, but not beyond the first fault. */
  async #wait(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (let left = ms; left > 0; left = end - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 100)));
      if (this.shared.fault !== null) throw new Error(this.shared.fault);
    }
  }

  /** Everything that was sent must have arrived, and its life must be over. */
  async #settle(): Promise<void> {
    const { settleMsMax } = this.#options;
    const end = performance.now() + settleMsMax;
    const open = () => this.#clients.filter((client) => !client.settled);
    while (open().length > 0) {
      if (performance.now() > end) {
        const missing = open().reduce((sum, client) => sum + client.sent - client.finished, 0);
        throw new Error(
          `${missing} messages did not arrive, or were not receipted, within ${settleMsMax} ms`,
        );
      }
      await this.#wait(5);
    }
  }
}
