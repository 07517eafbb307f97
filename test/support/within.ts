/**
 * Fails when `promise` takes longer than a test may ever wait. This is the safety net of a test that hangs, never
 * an assertion about speed: leave it far above what is expected.
 */
export function within<T>(what: string, promise: Promise<T>, ms = 30_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/**
 * Waits until `holds` says true. For what announces itself by nothing (resident memory, another process's files);
 * whatever sends an event is waited for by that.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { ms = 30_000, everyMs = 20 }: { ms?: number; everyMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
