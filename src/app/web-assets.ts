import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Asset, staticAssets } from '../transport/static-assets.js';

/** Where the build puts the web chat. */
export const WEB_FOLDER = fileURLToPath(new URL('../../web/', import.meta.url));

/**
 * The built web chat, read into memory. Empty when it was not built: the server works
 * without, and says so.
 */
export function webAssets(folder: string = WEB_FOLDER): ReadonlyMap<string, Asset> {
  const files = new Map<string, Uint8Array>();
  if (existsSync(folder)) {
    for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const file = join(name.parentPath, name.name);
      files.set(`/${file.slice(folder.length).split(sep).join('/')}`, readFileSync(file));
    }
  }
  return staticAssets(files);
}
