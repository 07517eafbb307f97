/** Under which new code requires what the server itself has loaded: `rookery:chat/request.js` is src/chat/request.ts. */
export const SHARED_SCHEME = 'rookery';

const sources = new URL('../', import.meta.url);

/** What new code requires: the server's own modules, as they are loaded already; packages; Node's. */
export async function importModule(specifier: string): Promise<object> {
  const own = specifier.startsWith(`${SHARED_SCHEME}:`) ? specifier.slice(SHARED_SCHEME.length + 1) : null;
  if (own === null) return (await import(specifier)) as object;
  const url = new URL(own, sources);
  if (!url.href.startsWith(sources.href)) throw new RangeError(`${specifier} lies outside of the server`);
  return (await import(url.href)) as object;
}
