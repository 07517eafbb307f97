/** What postMessage does with the same: takes messages and counts them, or sends them back. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

const { count, role, peer } = workerData as {
  count: number;
  role: 'take' | 'send' | 'echo' | 'ping';
  peer: MessagePort;
};
const port = parentPort!;
const body = new Uint8Array(32).fill(7);
const letter = (seq: number) => ({
  from: 15550001,
  to: 15550002,
  seq,
  time: 1.7e12 + seq,
  ref: seq,
  kind: 1,
  body,
});
const WINDOW = 20_000;
const CREDIT = 2000;

let begin = () => {};

switch (role) {
  case 'take': {
    let taken = 0;
    let start = 0;
    peer.on('message', () => {
      if (taken++ === 0) start = performance.now();
      if (taken % CREDIT === 0) peer.postMessage(taken);
      if (taken === count) port.postMessage({ ms: performance.now() - start });
    });
    break;
  }
  case 'send': {
    let sent = 0;
    const go = (taken: number) => {
      for (; sent < count && sent - taken < WINDOW; sent++) peer.postMessage(letter(sent));
    };
    peer.on('message', go);
    begin = () => go(0);
    break;
  }
  case 'echo':
    peer.on('message', (message) => peer.postMessage(message));
    break;
  case 'ping': {
    const times = new Float64Array(count);
    let at = 0;
    let sentAt = 0;
    const go = () => {
      sentAt = performance.now();
      peer.postMessage(at);
    };
    peer.on('message', () => {
      times[at++] = performance.now() - sentAt;
      if (at < count) go();
      else port.postMessage(times);
    });
    begin = go;
    break;
  }
}
port.on('message', (order: 'go' | 'end') => {
  if (order === 'end') process.exit(0);
  begin();
});
port.postMessage('ready');
