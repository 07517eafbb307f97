import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { OutputLines } from './output-lines.js';
import { ROOT } from './test-server.js';
import { within } from './within.js';

export const WSAR = resolve(ROOT, 'dist/tools/wsar/wsar.js');

export interface WsarRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `wsar …` to its end. */
export async function runWsar(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<WsarRun> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(ROOKERY_|NODE_|FORCE_COLOR)/.test(name)),
  );
  const child = spawn(process.execPath, ['--enable-source-maps', WSAR, ...args], {
    cwd: '/',
    env: { ...inherited, ...env },
  });
  child.stdin.end();
  const [out, err] = [new OutputLines(), new OutputLines()];
  out.follow(child.stdout);
  err.follow(child.stderr);
  const closed = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  try {
    const code = await within(`the end of wsar ${args.join(' ')}`, closed);
    return { code, out: out.text(), err: err.text() };
  } finally {
    child.kill('SIGKILL');
  }
}
