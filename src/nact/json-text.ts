import { JournalFailure } from '../storage/journal/journal.js';
import { JournalError } from '../storage/journal/journal-error.js';

/** How deep data may be nested: JSON.stringify recurses. */
const DEPTH_MAX = 1000;

/**
 * Data as JSON, if JSON says all of it. JSON.stringify drops functions and symbols, makes null of NaN and {} of a Map: an
 * event would come back as something else. Fields that are undefined are left out, and what has a `toJSON` (a Date) is what
 * that says.
 *
 * @throws {JournalError} argument; the message says where
 */
export function jsonText(data: unknown, what: string): string {
  check(data, what, 'data', 0, null);
  return JSON.stringify(data);
}

function check(value: unknown, what: string, path: string, depth: number, holder: object | null): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw refusal(what, path, String(value));
      return;
    case 'object':
      break;
    case 'undefined':
      if (holder !== null && !Array.isArray(holder)) return;
      throw refusal(what, path, 'undefined');
    default:
      throw refusal(what, path, `a ${typeof value}`);
  }
  if (value === null) return;
  if (depth >= DEPTH_MAX)
    throw refusal(what, path.slice(0, 80), `nested more than ${DEPTH_MAX} deep, or in itself`);
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') {
    check(toJSON.call(value, ''), what, path, depth + 1, holder);
    return;
  }
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) check(value[at], what, `${path}[${at}]`, depth + 1, value);
    return;
  }
  if (!hasFieldsOnly(value)) throw refusal(what, path, `a ${value.constructor?.name ?? 'thing'}`);
  for (const [name, field] of Object.entries(value)) check(field, what, `${path}.${name}`, depth + 1, value);
}

/** Whether an object is nothing but its fields. Classes of the user's own pass; they come back as plain objects. */
function hasFieldsOnly(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function refusal(what: string, path: string, found: string): JournalError {
  return new JournalError(JournalFailure.argument, `${what}: ${path} is ${found}, which JSON cannot say`);
}
