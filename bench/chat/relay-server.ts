import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../measure/free-port.js';
import { outputLines } from './output-lines.js';
import { inspectFlag, type ServerUnderTest } from './server-under-test.js';

/** Starts the raw relay (relay.ts) in a process of its own. */
export async function startRelay(inspected = false): Promise<ServerUnderTest> {
  const inspectorPort = inspected ? await freePort() : 0;
  const script = fileURLToPath(new URL('./relay.js', import.meta.url));
  const child = spawn(process.execPath, [...inspectFlag(inspectorPort), script], {
    stdio: ['ignore', 'pipe', inspected ? 'ignore' : 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
    outputLines(child.stdout, (line) => resolve((JSON.parse(line) as { port: number }).port));
  });
  return {
    name: 'raw relay',
    pid: child.pid as number,
    port,
    inspectorPort,
    async stop() {
      child.removeAllListeners('exit');
      child.kill();
      await once(child, 'close');
    },
  };
}
