import { beCut, Word, words } from './cut.js';
import { Exit, ExitReason } from './exit-reason.js';
import type { Exits } from './exits.js';
import { addLink, linksOf, removeLink } from './links.js';
import { attach, disown, monitorEnded, unwatch } from './monitors.js';
import type { Pid } from './pid.js';
import { Process } from './process.js';
import { type AliasMode, Ref, RefFlag } from './ref.js';
import { RemoteLinks } from './remote-links.js';
import type { RemoteSignal } from './router.js';
import type { Runtime } from './runtime.js';
import { DownMessage, ExitMessage } from './system-message.js';
import { type Target, targetInWords } from './via.js';

/** A monitor that a process of another scheduler has on one of ours. */
class RemoteWatch extends Ref {
  constructor(
    outside: Process<never>,
    target: Process<never>,
    private readonly remoteWatcher: Pid,
    readonly number: number,
  ) {
    super(outside, target, null, RefFlag.monitor);
  }

  override get watcher(): Pid {
    return this.remoteWatcher;
  }

  get key(): string {
    return keyOf(this.watcher, this.number);
  }

  get scheduler(): number {
    return this.watcher.scheduler;
  }

  override down(reason: ExitReason): void {
    const { runtime } = this.owner;
    runtime.signals.unwatched(this);
    runtime.routeSignal(this.watcher, { type: 'down', from: this.target!, ref: this.number, reason });
  }
}

function keyOf(watcher: Pid, number: number): string {
  return `${watcher.scheduler} ${number}`;
}

/**
 * Links, monitors and aliases: what is done here takes effect at once, what concerns other schedulers goes out as a
 * {@link RemoteSignal} and is believed to succeed; if there is nobody, the answer is an EXIT or DOWN as usual.
 */
export class Signals {
  readonly #runtime: Runtime;
  readonly #exits: Exits;
  /** Monitors and aliases of ours that other schedulers know, by the number that they were given. */
  readonly #exported = new Map<number, Ref>();
  #lastExported = 0;
  /** Monitors of other schedulers on processes of ours. */
  readonly #remoteWatches = new Map<string, RemoteWatch>();
  readonly #remoteLinks = new RemoteLinks();

  constructor(runtime: Runtime, exits: Exits) {
    this.#runtime = runtime;
    this.#exits = exits;
  }

  // ---- links ---------------------------------------------------------------------------------------------------

  link(process: Process<never>, pid: Pid): void {
    if (words[Word.cutting] !== 0) beCut();
    if (pid === (process as unknown) || this.#connect(process, pid)) return;
    const reason = this.#nobody(pid);
    if (!process.trapExit) throw new Exit(reason);
    process.deliver(new ExitMessage(pid, reason));
  }

  /** Links a process that has not begun to run: it cannot throw, so it ends. */
  linkNew(process: Process<never>, pid: Pid): void {
    if (!this.#connect(process, pid)) this.#exits.linkSignal(process, pid, this.#nobody(pid));
  }

  unlink(process: Process<never>, pid: Pid): void {
    if (words[Word.cutting] !== 0) beCut();
    const other = this.#runtime.canonical(pid);
    if (!removeLink(process, other)) return;
    const target = this.#runtime.local(other);
    if (target !== null) removeLink(target, process);
    else this.#runtime.routeSignal(other, { type: 'unlink', from: process });
  }

  /** Why there is nobody to be linked with. */
  #nobody(pid: Pid): ExitReason {
    return pid.scheduler === this.#runtime.scheduler ? ExitReason.noproc : ExitReason.noconnection;
  }

  #connect(process: Process<never>, pid: Pid): boolean {
    const target = this.#runtime.local(pid);
    if (target !== null) {
      if (!target.alive) return false;
      addLink(process, target);
      addLink(target, process);
      return true;
    }
    const other = this.#runtime.canonical(pid);
    if (!this.#runtime.routeSignal(other, { type: 'link', from: process })) return false;
    addLink(process, other);
    this.#remoteLinks.add(process, other.scheduler);
    return true;
  }

  // ---- monitors and aliases ------------------------------------------------------------------------------------

  monitor(owner: Process<never>, target: Target, alias?: AliasMode, tag?: unknown): Ref {
    if (words[Word.cutting] !== 0) beCut();
    let flags: number = RefFlag.monitor;
    if (alias !== undefined) flags |= RefFlag.alias;
    if (alias === 'demonitor') flags |= RefFlag.demonitor;
    if (alias === 'reply_demonitor') flags |= RefFlag.reply;
    const pid = this.#runtime.resolve(target);
    // Under a name of a table it is the process that is monitored, as after OTP's whereis_name.
    const name = typeof target === 'string' || pid === null ? (targetInWords(target) as string) : null;
    const ref = new Ref(owner, pid, name, flags);
    ref.tag = tag;
    // Nobody monitors itself: the reference is none from the beginning, as alias neither.
    if (owner.alive && ref.target !== owner) this.watch(ref);
    else ref.flags = 0;
    return ref;
  }

  /** Puts a new reference where it belongs. If there is nobody to watch its DOWN is under way when this returns. */
  watch(ref: Ref): void {
    const { target } = ref;
    const process = target === null ? null : this.#runtime.local(target);
    if (process?.alive) {
      attach(ref, process);
      return;
    }
    attach(ref, null);
    if (target !== null && process === null) {
      const signal: RemoteSignal = { type: 'monitor', from: ref.owner, ref: this.export(ref) };
      if (this.#runtime.routeSignal(target, signal)) return;
    }
    this.ended(ref);
    ref.down(target !== null && process === null ? ExitReason.noconnection : ExitReason.noproc);
  }

  demonitor(owner: Process<never>, ref: Ref, flush: boolean): boolean {
    if (words[Word.cutting] !== 0) beCut();
    const active = ref.isMonitor && ref.owner === owner;
    if (active) {
      this.stopWatching(ref);
      this.ended(ref);
    } else if (flush) {
      owner.flush((message) => message instanceof DownMessage && message.ref === ref);
    }
    return active;
  }

  alias(owner: Process<never>, mode: 'explicit_unalias' | 'reply'): Ref {
    if (words[Word.cutting] !== 0) beCut();
    const flags = mode === 'reply' ? RefFlag.alias | RefFlag.reply : RefFlag.alias;
    const ref = new Ref(owner, null, null, owner.alive ? flags : 0);
    if (owner.alive) attach(ref, null);
    return ref;
  }

  unalias(owner: Process<never>, ref: Ref): boolean {
    if (words[Word.cutting] !== 0) beCut();
    if (!ref.isAlias || ref.owner !== owner) return false;
    ref.flags &= ~RefFlag.alias;
    if (!ref.isMonitor) this.drop(ref);
    return true;
  }

  /** A message through an alias that belongs to this runtime. */
  throughAlias(ref: Ref, message: unknown): void {
    if (!ref.isAlias) return;
    if ((ref.flags & RefFlag.reply) !== 0) {
      if (ref.isMonitor) this.stopWatching(ref);
      ref.flags &= ~(RefFlag.alias | RefFlag.monitor);
      this.drop(ref);
    }
    ref.aliased(message);
  }

  /** Takes a monitor away from its target. */
  stopWatching(ref: Ref): void {
    if (ref.target === null) return;
    const target = this.#runtime.local(ref.target);
    if (target !== null) unwatch(ref, target);
    else this.#runtime.routeSignal(ref.target, { type: 'demonitor', from: ref.owner, ref: ref.exported });
  }

  /** The monitor has told, or was ended: what is left of the reference? */
  ended(ref: Ref): void {
    if (!monitorEnded(ref)) this.drop(ref);
  }

  /** It is neither monitor nor alias any more. */
  drop(ref: Ref): void {
    disown(ref);
    if (ref.exported !== 0) this.#exported.delete(ref.exported);
  }

  // ---- other schedulers ----------------------------------------------------------------------------------------

  /** How many references of ours other schedulers know, and how many of theirs we watch for. */
  get remoteCounts(): { readonly exported: number; readonly watches: number } {
    return { exported: this.#exported.size, watches: this.#remoteWatches.size };
  }

  /** The number under which other schedulers know a reference of ours: for a Router that encodes the `from` of a call. */
  export(ref: Ref): number {
    if (ref.exported === 0) {
      ref.exported = ++this.#lastExported;
      this.#exported.set(ref.exported, ref);
    }
    return ref.exported;
  }

  /** @internal */
  unwatched(watch: RemoteWatch): void {
    this.#remoteWatches.delete(watch.key);
  }

  /** A signal came for the process with this id. */
  arrived(id: number, signal: RemoteSignal): void {
    const runtime = this.#runtime;
    if (signal.type === 'alias') {
      const ref = this.#exported.get(signal.ref);
      if (ref !== undefined) this.throughAlias(ref, signal.message);
      return;
    }
    const target = runtime.process(id);
    const from = runtime.canonical(signal.from);
    switch (signal.type) {
      case 'link':
        if (target !== undefined) {
          addLink(target, from);
          this.#remoteLinks.add(target, from.scheduler);
        } else
          runtime.routeSignal(from, {
            type: 'exit',
            from: runtime.pid(runtime.scheduler, id),
            reason: ExitReason.noproc,
            link: true,
          });
        return;
      case 'unlink':
        if (target !== undefined) removeLink(target, from);
        return;
      case 'exit':
        if (target === undefined) return;
        if (!signal.link) this.#exits.signal(target, from, signal.reason);
        // Over a link that was removed meanwhile nothing comes any more.
        else if (removeLink(target, from, true)) this.#exits.linkSignal(target, from, signal.reason);
        return;
      case 'monitor': {
        if (target === undefined) {
          const address = runtime.pid(runtime.scheduler, id);
          runtime.routeSignal(from, {
            type: 'down',
            from: address,
            ref: signal.ref,
            reason: ExitReason.noproc,
          });
          return;
        }
        const watch = new RemoteWatch(runtime.outside, target, from, signal.ref);
        this.#remoteWatches.set(watch.key, watch);
        attach(watch, target);
        return;
      }
      case 'demonitor': {
        const watch = this.#remoteWatches.get(keyOf(from, signal.ref));
        if (watch === undefined) return;
        this.#remoteWatches.delete(watch.key);
        unwatch(watch, watch.target as unknown as Process<never>);
        watch.flags = 0;
        disown(watch);
        return;
      }
      case 'down': {
        const ref = this.#exported.get(signal.ref);
        if (ref === undefined || !ref.isMonitor) return;
        this.ended(ref);
        ref.down(signal.reason);
        return;
      }
    }
  }

  /** @internal A process that had links has ended. */
  unlinked(process: Process<never>): void {
    this.#remoteLinks.forget(process);
  }

  /** The reference of ours that other schedulers know under this number, while it is monitor or alias. */
  exported(number: number): Ref | undefined {
    return this.#exported.get(number);
  }

  /**
   * A scheduler was lost: links with it break and monitors of its processes fire, with noconnection. It looks at
   * what has to do with other schedulers, not at all processes.
   */
  schedulerDown(scheduler: number): void {
    for (const watch of [...this.#remoteWatches.values()]) {
      if (watch.scheduler !== scheduler) continue;
      this.#remoteWatches.delete(watch.key);
      unwatch(watch, watch.target as unknown as Process<never>);
      watch.flags = 0;
      disown(watch);
    }
    for (const ref of [...this.#exported.values()]) {
      if (!ref.isMonitor || ref.target?.scheduler !== scheduler) continue;
      this.ended(ref);
      ref.down(ExitReason.noconnection);
    }
    for (const process of this.#remoteLinks.take(scheduler)) {
      for (const other of linksOf(process)) {
        if (other instanceof Process || other.scheduler !== scheduler || !process.alive) continue;
        if (removeLink(process, other, true)) this.#exits.linkSignal(process, other, ExitReason.noconnection);
      }
    }
  }
}
