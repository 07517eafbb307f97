import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { DASHBOARD_FOLDER } from './dashboard-assets.js';
import { replaceFolder } from './replace-folder.js';

/**
 * Bundles the operator's page into `dist/dashboard`: `index.html`, `operator.js` and `operator.css`. The operator's port
 * has nothing cached, so the names have no hashes.
 *
 * Run at the end of `npm run build`.
 */

/** What script and style sheet may take together, compressed. A guard against a careless import. */
const COMPRESSED_BYTES_MAX = 80 * 1024;

const SOURCE = fileURLToPath(new URL('../../../src/ops/dashboard/', import.meta.url));

/**
 * Rejects with the bundler's words, and leaves what was in `target`, when something is wrong with the source.
 *
 * @returns the names of the files and what is in them
 */
export async function buildDashboard(
  target: string = DASHBOARD_FOLDER,
  source: string = SOURCE,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { operator: join(source, 'main.tsx'), style: join(source, 'style.css') },
    outdir: target,
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    tsconfig: join(source, 'tsconfig.json'),
    legalComments: 'none',
    logLevel: 'silent',
  });
  const files = new Map(
    outputFiles.map(({ path, contents }) => [basename(path).replace('style.css', 'operator.css'), contents]),
  );
  files.set('index.html', readFileSync(join(source, 'index.html')));
  replaceFolder(target, files);
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { gzipSync } = await import('node:zlib');
    const files = await buildDashboard();
    let compressed = 0;
    for (const contents of files.values()) compressed += gzipSync(contents).length;
    if (compressed > COMPRESSED_BYTES_MAX) {
      throw new Error(`it takes ${compressed} bytes compressed, at most ${COMPRESSED_BYTES_MAX} are allowed`);
    }
    console.log(
      `operator's page: ${files.size} files in dist/dashboard, ${(compressed / 1024).toFixed(1)} KB compressed`,
    );
  } catch (error) {
    console.error(
      `the operator's page cannot be built: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  }
}
