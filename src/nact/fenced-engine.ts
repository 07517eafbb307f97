/**
 * The persistence engine of an actor that has ended: what its function still asks for when it resumes is never answered, as
 * nothing is that a dead process waits for.
 */
export const FENCED_ENGINE = {
  persist: never,
  takeSnapshot: never,
  latestSnapshot: never,
  events: () => ({ reduce: never }),
};

function never(): Promise<never> {
  return new Promise(() => {});
}
