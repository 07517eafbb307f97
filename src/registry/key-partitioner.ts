/**
 * Which of `count` partitions a key belongs to: the same for keys that a Map takes for the same. Objects have nothing that
 * could be hashed, so they are dealt out in turn.
 */
export class KeyPartitioner {
  readonly #objects = new WeakMap<object, number>();
  #dealt = 0;

  constructor(private readonly count: number) {}

  partitionOf(key: unknown): number {
    const { count } = this;
    if (count === 1) return 0;
    switch (typeof key) {
      case 'string':
        return hashOf(key) % count;
      case 'number':
        return (key >>> 0) % count;
      case 'bigint':
        return Number(BigInt.asUintN(32, key)) % count;
      case 'symbol':
        return hashOf(key.description ?? '') % count;
      case 'object':
      case 'function':
        return key === null ? 0 : this.#dealtTo(key);
      default:
        return 0;
    }
  }

  #dealtTo(key: object): number {
    let partition = this.#objects.get(key);
    if (partition === undefined) {
      partition = this.#dealt++ % this.count;
      this.#objects.set(key, partition);
    }
    return partition;
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
