import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the build puts the operator's page. */
export const DASHBOARD_FOLDER = fileURLToPath(new URL('../../dashboard/', import.meta.url));

/** The files of the built operator's page by their names. Empty when it was not built: the port works without, and says so. */
export function dashboardAssets(folder: string = DASHBOARD_FOLDER): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map();
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
