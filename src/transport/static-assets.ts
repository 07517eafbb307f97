import { createHash } from 'node:crypto';

/** Something served over HTTP from memory. */
export interface Asset {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** A strong validator, quotes included. */
  readonly etag: string;
  readonly cacheControl: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  map: 'application/json; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff2: 'font/woff2',
};

/** A name with a content hash in it (`app-3f9c21ab.js`) never changes its content. */
const HASHED = /[-.][0-9A-Za-z_]{8,}\.[0-9a-z]+$/;

/**
 * Makes assets of files in memory.
 *
 * @param files path (`/app.js`) to content. `/index.html` is served at `/` as well.
 */
export function staticAssets(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const [path, bytes] of files) {
    const asset: Asset = {
      bytes,
      contentType: contentType(path),
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      cacheControl: HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    assets.set(path, asset);
    if (path === '/index.html') assets.set('/', asset);
  }
  return assets;
}

/** By the extension of the path; unknown ones are bytes to be downloaded, never guessed at by the browser. */
export function contentType(path: string): string {
  const extension = /\.([0-9a-z]+)$/.exec(path)?.[1] ?? '';
  return Object.hasOwn(CONTENT_TYPES, extension) ? CONTENT_TYPES[extension]! : 'application/octet-stream';
}

/** Does an If-None-Match header name this validator (RFC 9110, section 13.1.2, weak comparison)? */
export function etagMatches(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === '') return false;
  for (const part of ifNoneMatch.split(',')) {
    const tag = part.trim();
    if (tag === '*' || tag === etag || tag === `W/${etag}`) return true;
  }
  return false;
}

/**
 * What the pages may do: nothing but themselves and their own server. `connect-src 'self'` covers ws: and
 * wss: of the same host and port in present browsers; thumbnails are data: or blob: images.
 *
 * @param origins that they may connect to beside it: the home ports.
 */
export function contentSecurityPolicy(origins: readonly string[]): string {
  return (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
    `connect-src ${["'self'", ...origins].join(' ')}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; ` +
    "form-action 'none'; frame-ancestors 'none'"
  );
}

export const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
];
