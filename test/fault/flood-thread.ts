/** A client that never stops sending pings, in a thread of its own, so that it is the server alone that it can hold up. */
import { parentPort, workerData } from 'node:worker_threads';
import { encodePing } from '../../src/protocol/index.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';

/** Frames in one message, and messages that are under way at a time. */
const FRAMES = 2000;
const IN_FLIGHT = 16;

const { url, user } = workerData as { readonly url: string; readonly user: Credentials };
let answered = 0;
let ready = 0;
const client: ProtocolClient = await ProtocolClient.login(url, user, undefined, {
  onFrame: (frame) => {
    if (frame.type === 'welcome') begin();
    if (frame.type !== 'pong' || ++answered % FRAMES !== 0) return;
    parentPort?.postMessage(answered);
    pour();
  },
});
begin();

/** Both are to be there: the connection in our hands, and its welcome. */
function begin(): void {
  if (++ready === 2) for (let n = 0; n < IN_FLIGHT; n++) pour();
}

function pour(): void {
  client.send((writer) => {
    for (let n = 0; n < FRAMES; n++) encodePing(writer, n);
  });
}
