import type * as uWS from 'uWebSockets.js';
import { type Asset, contentSecurityPolicy, etagMatches, SECURITY_HEADERS } from '../static-assets.js';

/** Above this an asset is sent piecemeal, so that a client that does not read holds no copy of it. */
const PIECE_BYTES = 16 * 1024;

/**
 * Answers GET and HEAD for paths in `assets`; 404 and 405 for the rest.
 *
 * @param origins that pages may connect to beside their own.
 */
export function serveAsset(
  assets: ReadonlyMap<string, Asset>,
  origins: readonly string[],
  response: uWS.HttpResponse,
  request: uWS.HttpRequest,
): void {
  const method = request.getMethod();
  if (method !== 'get' && method !== 'head') {
    refuse(
      response.writeStatus('405 Method Not Allowed').writeHeader('Allow', 'GET, HEAD'),
      'Only GET and HEAD.\n',
    );
    return;
  }
  const asset = assets.get(request.getUrl());
  if (asset === undefined) {
    refuse(response.writeStatus('404 Not Found'), 'Nothing here.\n');
    return;
  }
  const unchanged = etagMatches(request.getHeader('if-none-match'), asset.etag);
  response.writeStatus(unchanged ? '304 Not Modified' : '200 OK');
  response.writeHeader('ETag', asset.etag);
  response.writeHeader('Cache-Control', asset.cacheControl);
  response.writeHeader('Content-Security-Policy', contentSecurityPolicy(origins));
  for (const [name, value] of SECURITY_HEADERS) response.writeHeader(name, value);
  if (unchanged) {
    // Adds `Content-Length: 0`, which is not true of the asset; caches ignore it in a 304.
    response.end();
    return;
  }
  response.writeHeader('Content-Type', asset.contentType);
  if (method === 'head') {
    // uWebSockets.js goes on waiting for the body that it was told not to send: so the connection ends here.
    response.onAborted(() => {});
    response.endWithoutBody(asset.bytes.length, true);
  } else if (asset.bytes.length <= PIECE_BYTES) response.end(asset.bytes);
  else sendPieces(response, asset.bytes);
}

function sendPieces(response: uWS.HttpResponse, bytes: Uint8Array): void {
  const write = (offset: number): boolean => {
    let at = offset;
    for (;;) {
      const [taken, done] = response.tryEnd(bytes.subarray(at, at + PIECE_BYTES), bytes.length);
      if (done || !taken) return done;
      at += PIECE_BYTES;
    }
  };
  response.onAborted(() => {});
  response.onWritable(write);
  write(0);
}

function refuse(response: uWS.HttpResponse, text: string): void {
  response
    .writeHeader('Content-Type', 'text/plain; charset=utf-8')
    .writeHeader('X-Content-Type-Options', 'nosniff')
    .end(text);
}
