import { encode, isObject, type Json, type JsonObject } from './oracle/json.js';

/** A step of a trace. */
interface Step extends JsonObject {
  readonly step: Json;
  readonly result: Json;
}

/** The release of OTP whose behaviour the runtime follows: scenarios that hold only up to an older one are left out. */
export const OTP_RELEASE = 27;

/** Whether a scenario holds for the release that we follow. */
export function applies(golden: JsonObject): boolean {
  const otp = golden['otp'];
  const max = isObject(otp) ? otp['max'] : undefined;
  return typeof max !== 'number' || max >= OTP_RELEASE;
}

/**
 * Compares the trace of a scenario with the golden one, step by step: results, events and marks. The tags of the golden
 * steps relax it: `unordered`, `anyOf`, `unorderedEvents`. The first difference in words, or null.
 */
export function difference(golden: JsonObject, trace: JsonObject | undefined): string | null {
  if (trace === undefined) return 'not in the trace';
  if (trace['error'] !== undefined) return `error: ${String(trace['error'])}`;
  const wanted = golden['steps'] as unknown as readonly Step[];
  const got = trace['steps'] as unknown as readonly Step[];
  for (const [at, step] of wanted.entries()) {
    const other = got[at];
    const where = `step ${at + 1} ${JSON.stringify(step.step)}`;
    if (other === undefined) return `${where} is missing`;
    const differs = stepDifference(step, other);
    if (differs !== null) return `${where}: ${differs}`;
  }
  return got.length > wanted.length ? `${got.length - wanted.length} steps too many` : null;
}

function stepDifference(wanted: Step, got: Step): string | null {
  const loose = wanted['unordered'] === true;
  const allowed = (wanted['anyOf'] as readonly Json[] | undefined) ?? [wanted.result];
  if (!allowed.some((one) => same(one, got.result, loose))) {
    return `result: expected ${allowed.map(encode).join(' or ')}, got ${encode(got.result)}`;
  }
  const events = objectOf(wanted['events']);
  const gotEvents = objectOf(got['events']);
  const unordered = (wanted['unorderedEvents'] as readonly Json[] | undefined) ?? [];
  for (const label of new Set([...Object.keys(events), ...Object.keys(gotEvents)])) {
    const one = listOf(events[label]);
    const two = listOf(gotEvents[label]);
    const sort = unordered.includes(label);
    if (!same(sort ? one.map(encode).sort() : one, sort ? two.map(encode).sort() : two, false)) {
      return `events of ${label}: expected ${encode(one)}, got ${encode(two)}`;
    }
  }
  const marks = listOf(wanted['marks']);
  const gotMarks = listOf(got['marks']);
  return same(marks, gotMarks, false) ? null : `marks: expected ${encode(marks)}, got ${encode(gotMarks)}`;
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function same(one: Json, other: Json, loose: boolean): boolean {
  return loose ? encodeLoose(one) === encodeLoose(other) : encode(one) === encode(other);
}

/** Every list as a multiset; tuples (`{"t": […]}`) keep the order of their elements. */
function encodeLoose(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(encodeLoose).sort().join(',')}]`;
  if (!isObject(value)) return encode(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => {
      const inner = value[key]!;
      const isTuple = key === 't' && Array.isArray(inner);
      return `${key}:${isTuple ? `[${(inner as readonly Json[]).map(encodeLoose).join(',')}]` : encodeLoose(inner)}`;
    });
  return `{${fields.join(',')}}`;
}
