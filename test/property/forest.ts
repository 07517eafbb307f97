import assert from 'node:assert/strict';
import {
  DownMessage,
  ExitReason,
  type Pid,
  type Process,
  type Ref,
  receive,
  type StartResult,
  sleep,
  startProcess,
} from '../../src/actors/index.js';
import {
  type AnyChildSpec,
  type AutoShutdown,
  type ChildSpec,
  DynamicSupervisor,
  type Restart,
  type Strategy,
  Supervisor,
  type SupervisorInit,
  type SupervisorPid,
} from '../../src/supervisors/index.js';
import { World } from '../actors/world.js';

export interface Shape {
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
  readonly intensity: number;
  readonly children: readonly (Shape | Leaf | Group)[];
}

export interface Leaf {
  readonly restart: Restart;
  /** How long it takes to stop when asked; null: it does not trap exits. */
  readonly stopMs: number | null;
  /** How long its init takes. */
  readonly startMs: number;
  /** Where that may be. */
  readonly significant: boolean;
}

/** A supervisor whose children come by request: here as soon as it has started. */
export interface Group {
  readonly kind: 'dynamic' | 'simple';
  readonly intensity: number;
  readonly size: number;
  readonly child: Leaf;
}

export function isLeaf(shape: Shape | Leaf | Group): shape is Leaf {
  return 'stopMs' in shape;
}

export function isGroup(shape: Shape | Leaf | Group): shape is Group {
  return 'kind' in shape;
}

/** Only what is ended in its init fails to start. */
function startsSlowly(shape: Shape | Leaf | Group): boolean {
  if (isLeaf(shape)) return shape.startMs !== 0;
  return !isGroup(shape) && shape.children.some(startsSlowly);
}

interface Started {
  readonly pid: Pid;
  readonly path: string;
  /** Null: a stranger. */
  readonly supervisor: Process<never> | null;
  readonly leaf: Leaf | null;
  readonly traps: boolean;
  readonly order: number;
}

/** A tree of supervisors and everybody who was ever started in it, and strangers. */
export class Forest extends World {
  readonly #shape: Shape;
  readonly #root: SupervisorPid;
  readonly #started: Started[] = [];
  readonly #byPid = new Map<Pid, Started>();
  /** Links beside those with supervisors. */
  readonly #links = new Map<Pid, Set<Pid>>();
  /** Children that were asked to be stopped or forgotten: they need not run. */
  readonly #touched = new Set<string>();
  /** Who was ended by us. */
  readonly #ended: Started[] = [];
  readonly #watcher: Process<unknown>;
  readonly #monitors = new Set<Ref>();
  readonly #fired: Ref[] = [];

  constructor(shape: Shape) {
    super();
    this.#shape = shape;
    let watcher!: Process<unknown>;
    this.runtime.spawn<unknown>((self) => {
      watcher = self;
      return {
        receive: (message) => {
          if (message instanceof DownMessage) this.#fired.push(message.ref);
        },
      };
    });
    this.#watcher = watcher;
    let root!: SupervisorPid;
    Supervisor.start(this.runtime, (self) => {
      root = self as unknown as SupervisorPid;
      return this.#init('root', shape);
    });
    this.#root = root;
  }

  /** Until nothing waits any more: nobody takes more than 200 ms, one after the other. */
  settle(): void {
    this.advance(20_000);
  }

  // ---- the tree ------------------------------------------------------------------------------------------------

  #record(
    path: string,
    supervisor: Process<never> | null,
    pid: Pid,
    leaf: Leaf | null,
    traps: boolean,
  ): void {
    const one: Started = { path, pid, supervisor, leaf, traps, order: this.#started.length };
    this.#started.push(one);
    this.#byPid.set(pid, one);
    this.#watch(pid);
  }

  #watch(pid: Pid): void {
    this.#monitors.add(this.#watcher.monitor(pid));
  }

  #init(path: string, shape: Shape): SupervisorInit {
    const { strategy, intensity, autoShutdown } = shape;
    const children = shape.children.map((child, at) => this.#spec(String(at), `${path}/${at}`, child, shape));
    return { strategy, intensity, periodMs: 5000, autoShutdown, children } as SupervisorInit;
  }

  #spec(id: string, path: string, shape: Shape | Leaf | Group, parent: Shape): AnyChildSpec {
    if (isLeaf(shape)) {
      const significant =
        shape.significant && parent.autoShutdown !== 'never' && shape.restart !== 'permanent';
      return { ...this.#leafSpec(id, path, shape), significant } as AnyChildSpec;
    }
    const type = 'supervisor';
    if (isGroup(shape)) return { id, type, start: (supervisor) => this.#startGroup(supervisor, path, shape) };
    return {
      id,
      type,
      start: (supervisor) =>
        Supervisor.startLink(supervisor, (self) => {
          this.#record(path, supervisor, self, null, true);
          return this.#init(path, shape);
        }),
    };
  }

  #leafSpec(id: string, path: string, leaf: Leaf): ChildSpec {
    return {
      id,
      restart: leaf.restart,
      shutdown: 100,
      start: (supervisor) => this.#startLeaf(supervisor, path, leaf),
    };
  }

  #startGroup(supervisor: Process<never>, path: string, shape: Group): StartResult {
    const { intensity, size, child } = shape;
    const limits = { intensity, periodMs: 5000, label: path };
    const template = this.#leafSpec('x', `${path}/x`, child);
    const result =
      shape.kind === 'simple'
        ? Supervisor.startLink(supervisor, {
            ...limits,
            strategy: 'simple_one_for_one',
            children: [template],
          })
        : DynamicSupervisor.startLink(supervisor, limits);
    if (result.ok === undefined) return result;
    this.#record(path, supervisor, result.ok, null, true);
    for (let at = 0; at < size; at++) {
      if (shape.kind === 'simple') Supervisor.startChild(this.runtime, result.ok, []);
      else DynamicSupervisor.startChild(this.runtime, result.ok, template);
    }
    return result;
  }

  #startLeaf(supervisor: Process<never>, path: string, leaf: Leaf): StartResult {
    return startProcess<unknown>(
      this.runtime,
      { parent: supervisor, link: true, trapExit: leaf.stopMs !== null },
      (self, ack) => {
        this.#record(path, supervisor, self, leaf, leaf.stopMs !== null);
        if (leaf.startMs === 0) ack.ok();
        const receiver = {
          receive: (message: unknown) => {
            const exit = message as {
              readonly type?: string;
              readonly from?: Pid;
              readonly reason: ExitReason;
            };
            if (message === 'stop') self.exit(ExitReason.shutdown);
            if (exit.type !== 'EXIT' || exit.from !== supervisor) return;
            if (leaf.stopMs === 0) self.exit(exit.reason);
            else self.sendAfter(leaf.stopMs!, 'stop');
          },
        };
        if (leaf.startMs === 0) return receiver;
        return (function* () {
          yield* sleep(leaf.startMs);
          ack.ok();
          for (;;) receiver.receive(yield* receive());
        })();
      },
    );
  }

  // ---- what happens --------------------------------------------------------------------------------------------

  #alive(): Started[] {
    return this.#started.filter(({ pid }) => this.runtime.isAlive(pid));
  }

  #pick(at: number): Started | undefined {
    const living = this.#alive();
    return living[at % living.length];
  }

  stranger(traps: boolean): void {
    const pid = this.runtime.spawn<never>(() => ({ receive() {} }), { trapExit: traps });
    this.#record(`stranger ${this.#started.length}`, null, pid, null, traps);
  }

  monitor(at: number): void {
    // Anybody, also long dead.
    const one = this.#started[at % this.#started.length];
    if (one !== undefined) this.#watch(one.pid);
  }

  link(at: number, to: number): void {
    const [one, other] = [this.#pick(at), this.#pick(to)];
    // Supervisors are left alone: a link with one looks like a child.
    if (one === undefined || other === undefined || one === other) return;
    if ((one.leaf ?? one.supervisor) !== null && one.leaf === null) return;
    if ((other.leaf ?? other.supervisor) !== null && other.leaf === null) return;
    this.runtime.local(one.pid)!.link(other.pid);
    this.#linked(one.pid).add(other.pid);
    this.#linked(other.pid).add(one.pid);
  }

  #linked(pid: Pid): Set<Pid> {
    let links = this.#links.get(pid);
    if (links === undefined) {
      links = new Set();
      this.#links.set(pid, links);
    }
    return links;
  }

  /** Ends somebody, and sees that exactly those have died who must. */
  end(at: number, how: 'normal' | 'shutdown' | 'boom' | 'kill'): void {
    const victim = this.#pick(at);
    if (victim === undefined) return;
    const isSupervisor = victim.leaf === null && victim.supervisor !== null;
    // A supervisor ends in order or not at all, but for kill.
    if (isSupervisor && how !== 'kill') return;
    if (!isSupervisor) this.#ended.push(victim);
    const expected = this.#dieWith(victim, how !== 'normal');
    const before = this.#alive();
    if (how === 'kill') this.runtime.exit(victim.pid, ExitReason.kill);
    else this.runtime.finish(victim.pid, how === 'boom' ? ExitReason.custom('boom') : ExitReason[how]);
    for (const one of before) {
      const lives = this.runtime.isAlive(one.pid);
      // Ended in its init it has never started, and nobody asks for it again.
      if (!lives && one.path.endsWith('/x') && one.leaf?.startMs !== 0) this.#touched.add(one.path);
      assert.equal(lives, !expected.has(one.pid), `${one.path} ${lives ? 'survived' : 'died'}`);
    }
    this.runtime.flush();
  }

  #dieWith(victim: Started, propagates: boolean): Set<Pid> {
    const dead = new Set([victim.pid]);
    for (const pid of propagates ? dead : []) {
      const children = this.#started.filter(({ supervisor }) => supervisor === (pid as unknown));
      const linked = [...(this.#links.get(pid) ?? [])].map((other) => this.#byPid.get(other)!);
      for (const one of [...children, ...linked]) {
        if (!one.traps && this.runtime.isAlive(one.pid)) dead.add(one.pid);
      }
    }
    return dead;
  }

  request(at: number, child: number, what: 'terminate' | 'restart' | 'delete'): void {
    const supervisors = this.#alive().filter((one) => one.leaf === null && one.supervisor !== null);
    const supervisor = supervisors[at % supervisors.length];
    if (supervisor === undefined) return;
    const children = this.#started.filter((one) => one.supervisor === (supervisor.pid as unknown));
    const one = children[child % children.length];
    if (one === undefined) return;
    const group = one.path.endsWith('/x');
    const id = one.path.slice(one.path.lastIndexOf('/') + 1);
    const target = supervisor.pid as SupervisorPid;
    this.#touched.add(one.path);
    this.#touchSiblings(one.path);
    const { runtime } = this;
    const answer: Promise<unknown> =
      what === 'terminate'
        ? Supervisor.terminateChild(runtime, target, group ? one.pid : id)
        : what === 'restart'
          ? Supervisor.restartChild(runtime, target, id)
          : Supervisor.deleteChild(runtime, target, id);
    // It may have gone before it answers.
    answer.catch(() => {});
    this.runtime.flush();
  }

  /**
   * A restart of several children that fails at one of them is tried again with that one. Whoever takes it away meanwhile has
   * called off the restart, and those behind it stay down, in OTP too.
   */
  #touchSiblings(path: string): void {
    const [, ...steps] = path.split('/');
    const id = steps.pop();
    let parent: Shape | Leaf | Group = this.#shape;
    for (const step of steps) parent = (parent as Shape).children[Number(step)]!;
    if (isLeaf(parent) || isGroup(parent) || parent.strategy === 'one_for_one') return;
    if (!startsSlowly(parent.children[Number(id)]!)) return;
    const above = path.slice(0, path.lastIndexOf('/'));
    for (const at of parent.children.keys()) this.#touched.add(`${above}/${at}`);
  }

  // ---- what must be --------------------------------------------------------------------------------------------

  /** To be called at rest. */
  async check(): Promise<void> {
    const living = this.#alive();
    const paths = new Set<string>();
    for (const { path, supervisor, leaf } of living) {
      if (supervisor === null) continue;
      assert.ok(supervisor.alive, `${path} outlived its supervisor`);
      if (path.endsWith('/x')) continue;
      assert.ok(!paths.has(path), `${path} runs twice`);
      paths.add(path);
      if (leaf === null) await this.#checkAnswers(supervisor, living);
    }
    if (this.runtime.isAlive(this.#root)) this.#checkShape('root', this.#shape, paths, living);
    else
      assert.deepEqual(
        living.filter(({ supervisor }) => supervisor !== null),
        [],
      );
    for (const ended of this.#ended) {
      if (ended.leaf?.restart !== 'temporary' || ended.path.endsWith('/x')) continue;
      const again = this.#started.some(
        ({ path, order, supervisor }) =>
          path === ended.path && order > ended.order && supervisor === ended.supervisor,
      );
      assert.ok(!again, `${ended.path} came again`);
    }
  }

  /** What a supervisor says of its children is what is there. */
  async #checkAnswers(supervisor: Process<never>, living: readonly Started[]): Promise<void> {
    const pid = supervisor as unknown as SupervisorPid;
    const which = Supervisor.whichChildren(this.runtime, pid);
    const counts = Supervisor.countChildren(this.runtime, pid);
    this.runtime.flush();
    const said = (await which).map((child) => child.pid).filter((child) => child !== null);
    const there = living.filter((one) => one.supervisor === supervisor).map((one) => one.pid);
    assert.deepEqual(new Set(said), new Set(there));
    assert.equal((await counts).active, there.length);
  }

  #checkShape(path: string, shape: Shape, paths: ReadonlySet<string>, living: readonly Started[]): void {
    for (const [at, child] of shape.children.entries()) {
      const childPath = `${path}/${at}`;
      if (this.#touched.has(childPath)) continue;
      if (isLeaf(child)) {
        if (child.restart === 'permanent') assert.ok(paths.has(childPath), `${childPath} does not run`);
        continue;
      }
      assert.ok(paths.has(childPath), `${childPath} does not run`);
      if (!isGroup(child)) this.#checkShape(childPath, child, paths, living);
      else if (child.child.restart === 'permanent' && !this.#touched.has(`${childPath}/x`)) {
        const members = living.filter((one) => one.path === `${childPath}/x`).length;
        // One that starts slowly makes the supervisor busy: the next start on this stack is refused.
        const size = child.child.startMs === 0 ? child.size : Math.min(1, child.size);
        assert.equal(members, size, `${childPath} has ${members} of ${size} members`);
      }
    }
  }

  /** Stops the tree and sends the strangers away. */
  fell(): void {
    this.runtime.stop(this.#root).catch(() => {});
    this.settle();
    for (const { pid } of this.#alive()) this.runtime.exit(pid, ExitReason.kill);
    this.runtime.flush();
  }

  /** Nobody but the watcher is left, and it has heard of each end once over each of its monitors. */
  checkEnd(): void {
    assert.deepEqual(this.#alive(), []);
    assert.equal(this.runtime.processCount, 1);
    assert.equal(this.#fired.length, this.#monitors.size);
    assert.deepEqual(new Set(this.#fired), this.#monitors);
    assert.equal(this.runtime.timers.size, 0);
  }
}
