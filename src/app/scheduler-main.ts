/** What a scheduler thread runs. */
import { parentPort, workerData } from 'node:worker_threads';
import { formatReason } from '../actors/exit-reason.js';
import { Runtime } from '../actors/runtime.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../protocol/index.js';
import { RingStorePort } from '../storage/ring-store-port.js';
import { SystemClock } from '../structures/system-clock.js';
import { SystemRandom } from '../structures/system-random.js';
import { tokenRate } from '../structures/token-bucket.js';
import type { Listener } from '../transport/listener.js';
import { listen } from '../transport/uws/uws-listener.js';
import { ChatScheduler } from './chat-scheduler.js';
import { chatLimitsOf } from './limits-of.js';
import { logEvent } from './log-event.js';
import { PortSmsGateway } from './port-sms-gateway.js';
import type { FromScheduler, SchedulerData, ToScheduler } from './thread-messages.js';
import { webAssets } from './web-assets.js';

const data = workerData as SchedulerData;
const port = parentPort;
if (port === null) throw new Error('a scheduler is started by the main thread');
const { config } = data;
const post = (message: FromScheduler): void => port.postMessage(message);

const clock = new SystemClock();
const random = new SystemRandom();
const runtime = new Runtime({
  clock,
  random,
  scheduler: data.index,
  longScheduleMs: 100,
  events: (event) => {
    const line = logEvent(event);
    if (line !== null) post(line);
  },
});
const gateway = new PortSmsGateway(post, clock);
