import { createRequire } from 'node:module';
import { StartRefused } from './start-refused.js';

/**
 * What the chat server needs and the library does not: packages with native parts, one of them 130 MB. So they do not come
 * with `npm install rookery`; in package.json they are optional peers. As `npm install` wants them.
 */
const SERVER_PACKAGES: Readonly<Record<string, string>> = {
  'better-sqlite3': 'better-sqlite3@12.11.1',
  'uWebSockets.js': 'uWebSockets.js@npm:uws-pack@20.0.8',
};

/** Throws a {@link StartRefused} that says how to install what is missing. */
export function checkServerPackages(): void {
  const { resolve } = createRequire(import.meta.url);
  const missing = Object.keys(SERVER_PACKAGES).filter((name) => {
    try {
      resolve(name);
      return false;
    } catch (error) {
      // One that is there but only for `import` fails otherwise.
      return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    }
  });
  if (missing.length === 0) return;
  throw new StartRefused(
    `it needs packages that do not come with the library. Install them with\n  npm install ${missing
      .map((name) => SERVER_PACKAGES[name])
      .join(' ')}`,
  );
}
