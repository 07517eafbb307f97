import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { replaceFolder } from './replace-folder.js';
import { WEB_FOLDER } from './web-assets.js';

/**
 * Bundles the web chat into `dist/web`: a script, a style sheet and an icon, each with a hash of its content
 * in its name (so they may be cached for ever), and the index.html that names them (which may not).
 *
 * Run at the end of `npm run build`. The old page stays in place until the new one is complete.
 */

/** What the script and the style sheet may take together, compressed. A guard against a careless import. */
const COMPRESSED_BYTES_MAX = 100 * 1024;

const SOURCE = fileURLToPath(new URL('../../../src/web/', import.meta.url));

/**
 * Rejects with the bundler's words, and leaves what was in `target`, when something is wrong with the source.
 *
 * @returns the names of the files and their sizes in bytes
 */
export async function buildWeb(
  target: string = WEB_FOLDER,
  source: string = SOURCE,
): Promise<ReadonlyMap<string, number>> {
  const result = await build({
    entryPoints: {
      chat: join(source, 'main.tsx'),
      style: join(source, 'style.css'),
      icon: join(source, 'icon.svg'),
    },
    outdir: target,
    write: false,
    bundle: true,
    minify: true,
    sourcemap: 'linked',
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    tsconfig: join(source, 'tsconfig.json'),
    // msgpackr's ordinary entry tries `new Function`, which the page's security policy forbids.
    alias: { msgpackr: 'msgpackr/index-no-eval' },
    legalComments: 'none',
    logLevel: 'silent',
  });
  const files = new Map(result.outputFiles.map(({ path, contents }) => [basename(path), contents]));
  files.set('index.html', new TextEncoder().encode(indexPage(source, [...files.keys()])));
  replaceFolder(target, files);
  return new Map([...files].map(([name, contents]) => [name, contents.length]));
}

function indexPage(source: string, names: readonly string[]): string {
  const named = (pattern: RegExp): string => {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name === undefined) throw new Error(`the bundler made no file like ${pattern}`);
    return `/${name}`;
  };
  return readFileSync(join(source, 'index.html'), 'utf8')
    .replace('{script}', named(/^chat-.*\.js$/))
    .replace('{style}', named(/^style-.*\.css$/))
    .replace('{icon}', named(/^icon-.*\.svg$/));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { gzipSync } = await import('node:zlib');
    const sizes = await buildWeb();
    let compressed = 0;
    for (const name of sizes.keys()) {
      if (/\.(js|css|svg|html)$/.test(name))
        compressed += gzipSync(readFileSync(join(WEB_FOLDER, name))).length;
    }
    if (compressed > COMPRESSED_BYTES_MAX) {
      throw new Error(
        `the page takes ${compressed} bytes compressed, at most ${COMPRESSED_BYTES_MAX} are allowed`,
      );
    }
    console.log(`web chat: ${sizes.size} files in dist/web, ${(compressed / 1024).toFixed(1)} KB compressed`);
  } catch (error) {
    console.error(`the web chat cannot be built: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
