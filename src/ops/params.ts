import { ActionRefused } from './action.js';

type Params = Readonly<Record<string, unknown>>;

/** The parameters of an action, read and checked: all of these throw an ActionRefused (400) with the bad value in it. */

export function textParam(params: Params, name: string): string {
  const value = params[name];
  if (typeof value !== 'string' || value === '') throw wrong(name, value, 'a text');
  return value;
}

export function optionalText(params: Params, name: string): string | null {
  return params[name] === undefined || params[name] === null ? null : textParam(params, name);
}

/** A whole number within bounds; the default if it is not given. */
export function integerParam(
  params: Params,
  name: string,
  { min, max, otherwise }: { readonly min: number; readonly max: number; readonly otherwise?: number },
): number {
  const value = params[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw wrong(name, value, `a whole number from ${min} to ${max}`);
  return value;
}

export function booleanParam(params: Params, name: string): boolean {
  const value = params[name] ?? false;
  if (typeof value !== 'boolean') throw wrong(name, value, 'true or false');
  return value;
}

/** Refuses what it does not know: a parameter that was misspelt must not be one that is ignored. */
export function onlyParams(params: Params, ...names: readonly string[]): void {
  for (const name of Object.keys(params)) {
    if (!names.includes(name)) {
      const list = names.length === 0 ? 'none' : names.join(', ');
      throw new ActionRefused(400, `there is no parameter ${JSON.stringify(name)}; there are: ${list}`);
    }
  }
}

function wrong(name: string, value: unknown, expected: string): ActionRefused {
  const written = JSON.stringify(value) ?? 'nothing';
  return new ActionRefused(400, `${name} must be ${expected}, not ${written.slice(0, 100)}`);
}
