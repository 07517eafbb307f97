import type { TestContext } from 'node:test';

type Cleanup = () => unknown;

const cleanups = new WeakMap<TestContext, Cleanup[]>();

/**
 * Has something done at the end of a test, the last thing first: what was built upon something goes before it. (The
 * hooks of node:test run in the order in which they were made.) Each is done even if another fails.
 */
export function atEnd(t: TestContext, cleanup: Cleanup): void {
  const known = cleanups.get(t);
  if (known !== undefined) {
    known.push(cleanup);
    return;
  }
  const list = [cleanup];
  cleanups.set(t, list);
  t.after(async () => {
    const errors: unknown[] = [];
    for (const next of list.reverse()) {
      try {
        await next();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
}
