import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import WebSocket from 'ws';

/** What the inspector of one isolate says about its heap. */
export interface HeapUsage {
  readonly thread: string;
  readonly usedBytes: number;
  readonly totalBytes: number;
}

interface Thread {
  readonly name: string;
  /** Null: the main thread. */
  readonly session: string | null;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: {
    readonly sessionId: string;
    readonly message: string;
    /** Of a worker that attaches. */
    readonly workerInfo: { readonly workerId: string; readonly title: string; readonly url: string };
  };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The inspector of another Node process and of all its worker threads: collections on demand, heap figures, CPU
 * profiles of an interval. The process must have been started with `--inspect=127.0.0.1:<port>`.
 *
 * Protocol: https://chromedevtools.github.io/devtools-protocol/v8/ and Node's domain NodeWorker.
 */
export class Inspector {
  readonly #socket: WebSocket;
  #threads: Thread[] = [{ name: 'main', session: null }];
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#heard(JSON.parse(String(data)) as Answer));
  }

  static async connect(port: number): Promise<Inspector> {
    const list = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(list[0]!.webSocketDebuggerUrl, { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const inspector = new Inspector(socket);
    await inspector.#ask(null, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
    return inspector;
  }

  get threads(): readonly string[] {
    return this.#threads.map((thread) => thread.name);
  }

  /** A full collection in every thread. */
  async collectGarbage(): Promise<void> {
    await this.#everywhere('HeapProfiler.collectGarbage');
  }

  async heaps(): Promise<HeapUsage[]> {
    const answers = (await this.#everywhere('Runtime.getHeapUsage')) as {
      usedSize: number;
      totalSize: number;
    }[];
    return answers.map((answer, i) => ({
      thread: this.#threads[i]!.name,
      usedBytes: answer.usedSize,
      totalBytes: answer.totalSize,
    }));
  }

  async startProfiles(intervalUs = 500): Promise<void> {
    await this.#everywhere('Profiler.enable');
    await this.#everywhere('Profiler.setSamplingInterval', { interval: intervalUs });
    await this.#everywhere('Profiler.start');
  }

  /** Writes one .cpuprofile for each thread and returns their paths. */
  async stopProfiles(folder: string): Promise<string[]> {
    const answers = (await this.#everywhere('Profiler.stop')) as { profile: unknown }[];
    await mkdir(folder, { recursive: true });
    return Promise.all(
      answers.map(async ({ profile }, i) => {
        const path = join(folder, `${i}-${this.#threads[i]!.name.replaceAll(/[^\w.-]+/g, '_')}.cpuprofile`);
        await writeFile(path, JSON.stringify(profile));
        return path;
      }),
    );
  }

  /** Any method, in every thread; the answers in the order of {@link threads}. */
  call(method: string, params: object = {}): Promise<unknown[]> {
    return this.#everywhere(method, params);
  }

  close(): void {
    this.#socket.close();
  }

  #everywhere(method: string, params: object = {}): Promise<unknown[]> {
    return Promise.all(this.#threads.map((thread) => this.#ask(thread.session, method, params)));
  }

  #ask(session: string | null, method: string, params: object): Promise<unknown> {
    const id = ++this.#ids;
    const message = JSON.stringify({ id, method, params });
    const outer =
      session === null
        ? message
        : JSON.stringify({
            id: ++this.#ids,
            method: 'NodeWorker.sendMessageToWorker',
            params: { sessionId: session, message },
          });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(outer);
    });
  }

  #heard(answer: Answer): void {
    const { method, params } = answer;
    if (method === 'NodeWorker.attachedToWorker' && params !== undefined) {
      const { url, title, workerId } = params.workerInfo;
      const file = url.split('/').at(-1) ?? '';
      this.#threads.push({ name: `${workerId}-${file || title}`, session: params.sessionId });
    } else if (method === 'NodeWorker.detachedFromWorker' && params !== undefined) {
      this.#threads = this.#threads.filter(({ session }) => session !== params.sessionId);
    } else if (method === 'NodeWorker.receivedMessageFromWorker' && params !== undefined) {
      this.#heard(JSON.parse(params.message) as Answer);
    } else if (answer.id !== undefined) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error !== undefined) waiting?.reject(new Error(answer.error.message));
      else waiting?.resolve(answer.result);
    }
  }
}
