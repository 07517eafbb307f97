/** A JSON value as it stands in scenario and trace files. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of the format. The keys that are named here are those that the interpreter itself looks at. */
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without spaces; keys sorted. */
export function encode(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${encode(value[key]!)}`);
  return `{${fields.join(',')}}`;
}
