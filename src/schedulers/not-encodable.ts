/** A value that cannot leave its scheduler was in a message. Thrown to the sender; nothing was sent. */
export class NotEncodable extends TypeError {
  override readonly name = 'NotEncodable';

  constructor(
    /** Where it stands in the message: `message.items[3].socket`. */
    readonly path: string,
    /** What it is, in words: `a function`, `a Socket`. */
    readonly what: string,
  ) {
    super(`${path}: ${what} cannot leave its scheduler`);
  }
}

/** What stands there, in words. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'function':
      return value.name === '' ? 'a function' : `the function ${value.name}`;
    case 'symbol':
      return String(value);
    case 'object': {
      const name = (value as { constructor?: { name?: unknown } } | null)?.constructor?.name;
      return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object';
    }
    default:
      return String(value);
  }
}

/** `path.key`, or `path["a key"]`. */
export function keyPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
