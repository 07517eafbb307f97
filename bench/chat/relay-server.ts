import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { outputLines } from './output-lines.js';
import type { ServerUnderTest } from './server-under-test.js';

/** Starts the raw relay (relay.ts) in a process of its own. */
export async function startRelay(): Promise<ServerUnderTest> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./relay.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
    outputLines(child.stdout, (line) => resolve((JSON.parse(line) as { port: number }).port));
  });
  return {
    name: 'raw relay',
    pid: child.pid as number,
    port,
    async stop() {
      child.removeAllListeners('exit');
      child.kill();
      await once(child, 'close');
    },
  };
}
