import type { Pid } from '../actors/index.js';
import type { Registry } from './registry.js';

/** What a listener gets when a process has registered itself. */
export class RegisterMessage<K = unknown, V = unknown, P extends Pid = Pid> {
  readonly type = 'register';

  constructor(
    readonly registry: Registry<K, V, P>,
    readonly key: K,
    readonly pid: P,
    readonly value: V,
  ) {}
}

/** What a listener gets when a process has unregistered itself, but not when its entries went with it: monitor it. */
export class UnregisterMessage<K = unknown, V = unknown, P extends Pid = Pid> {
  readonly type = 'unregister';

  constructor(
    readonly registry: Registry<K, V, P>,
    readonly key: K,
    readonly pid: P,
  ) {}
}
