/**
 * A process of its own, for it may be aborted: starts workers one after another, each with a listener and an
 * open connection, has them end in every way, and says `survived` at the end.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { handshake, RawClient } from './raw-client.js';
import { until } from './uws-world.js';

const ENDINGS = [
  'exit',
  'error',
  'rejection',
  'normal',
  'close and exit',
  'exit in a callback',
  'error in a callback',
];

for (const ending of ENDINGS) {
  const worker = new Worker(new URL('./worker-with-listener.js', import.meta.url), {
    workerData: { ending },
  });
  worker.on('error', (error) => console.log(`${ending}: error: ${error.message}`));
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }];
  const client = await RawClient.connect(port);
  client.write(handshake());
  await until(() => client.text.includes('\r\n\r\n'));
  const exited = new Promise<number>((resolve) => worker.once('exit', resolve));
  if (ending.endsWith('callback')) client.write(new Uint8Array([0x82, 0x80, 0, 0, 0, 0]));
  else worker.postMessage('end');
  const code = await exited;
  await until(() => client.closed);
  console.log(`${ending}: exit ${code}`);
}
console.log('survived');
