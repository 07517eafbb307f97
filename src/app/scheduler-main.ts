/** What a scheduler thread runs: the chat's processes, one uWebSockets.js app, and the scheduler's end of the rings. */

import { parentPort, workerData } from 'node:worker_threads';
import { type ExitReason, formatReason, isOrderly } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import { Runtime } from '../actors/runtime.js';
import type { PartitionMessage } from '../chat/messages.js';
import type { RegistrarOptions } from '../chat/registrar.js';
import { RegistrationLimits } from '../chat/registration-limits.js';
import type { ModuleTable } from '../hot-code/index.js';
import { RingRouter, StatsBlock } from '../schedulers/index.js';
import { RingStorePort } from '../storage/ring-store-port.js';
import { processTimeOffsetMs, SystemClock } from '../structures/system-clock.js';
import { SystemRandom } from '../structures/system-random.js';
import type { LimitedListener } from '../transport/listener.js';
import type { ConnectionAcceptor } from '../transport/socket.js';
import { ListenError, listen } from '../transport/uws/uws-listener.js';
import { registerAlerts } from './alert-answers.js';
import { Answers } from './answers.js';
import { chatCode } from './chat-code.js';
import { chatCodecs } from './chat-codecs.js';
import { ChatScheduler, type ChatSchedulerParts } from './chat-scheduler.js';
import { noteLongRuns, registerCode } from './code-answers.js';
import { codeEvents } from './code-events.js';
import { injectFault } from './inject-fault.js';
import { KnobValues } from './knob-values.js';
import { chatLimitsOf, registrationRatesOf } from './limits-of.js';
import { listenerOptionsOf } from './listener-options.js';
import { logEvent } from './log-event.js';
import { registerMailboxes } from './mailbox-answers.js';
import { PortSmsGateway } from './port-sms-gateway.js';
import { registerProcesses } from './process-answers.js';
import { registerTraces } from './process-trace-answers.js';
import { registerProfiles } from './profile-answers.js';
import { SchedulerCollector } from './scheduler-collector.js';
import { schedulerGuard } from './scheduler-guard.js';
import { heedSchedulerKnobs, registerKnobs } from './scheduler-knobs.js';
import { schedulerStats } from './scheduler-stats.js';
import type { FromScheduler, SchedulerData, ToScheduler } from './thread-messages.js';
import { registerMessageMarks } from './trace-answers.js';
import { registerTree } from './tree-answers.js';

const data = workerData as SchedulerData;
const parent = parentPort;
if (parent === null) throw new Error('a scheduler thread is started by the main thread');
const { config } = data;
const knobs = new KnobValues(config);
const post = (message: FromScheduler): void => parent.postMessage(message);

const clock = new SystemClock();
const timeOffsetMs = processTimeOffsetMs();
const random = new SystemRandom();
const guard = schedulerGuard(`scheduler-${data.place}`, post);
const stats = new StatsBlock(data.stats);
const router = new RingRouter({
  links: data.links,
  codecs: chatCodecs,
  overflowBytesMax: config.ringOverflowBytesMax,
});
const collector = new SchedulerCollector(config, clock, data.gc, guard);
let table: ModuleTable | null = null;
const runtime = new Runtime({
  clock,
  random,
  scheduler: data.links.number,
  router,
  names: router.names,
  sliceMessages: config.sliceMessages,
  sliceMs: config.sliceMs,
  turnMs: config.turnMs,
  longScheduleMs: config.longScheduleMs,
  stats: stats.values,
  spill: (runtime) => collector.start(runtime),
  mailboxMax: config.mailboxMax,
  ...(guard === null ? {} : { guard }),
  events: (event) => {
    // What runs before there is code is not its doing.
    if (table !== null) noteLongRuns(table, event);
    const line = logEvent(event);
    if (line !== null) post(line);
  },
});
router.start(runtime);
const gateway = new PortSmsGateway(post, clock);
const store = new RingStorePort({ rings: data.rings, clock });

let listener: LimitedListener | null = null;
/** After the first time the ports are fixed: clients come back to them. */
let { port, homePort, sharing } = data;
/** Of all schedulers, by their places. */
const homePorts = new Map<number, number>();
let draining = false;

const registrations = new RegistrationLimits(
  data.registrations,
  registrationRatesOf(config),
  () => clock.now() + timeOffsetMs,
);
const registrar: RegistrarOptions = {
  random,
  gateway,
  secret: data.secret,
  pinDigits: config.pinDigits,
  pinLifeMs: config.pinLifeMs,
  limits: registrations,
  pendingMax: 2048,
};
const code = chatCode({
  runtime,
  clock,
  word: data.codeWord,
  onEvent: codeEvents(clock, (event) => post({ type: 'code', event })),
});
table = code.table;
// Before the port is open: nobody is to meet the code that was changed long ago.
await code.table.restore(data.code);
const scheduler: ChatScheduler = start({
  name: 'rookery',
  version: data.version,
  runtime,
  clock,
  timeOffsetMs,
  store,
  epoch: data.epoch,
  place: data.place,
  incarnation: data.incarnation,
  limits: knobs.derive(chatLimitsOf),
  registrar,
  code,
  listen: openPorts,
  onPartition: (partition, { scheduler, id }) =>
    post({ type: 'partition-started', partition, address: { scheduler, id } }),
  onEnd: ended,
});
store.listen(scheduler.events);
heedSchedulerKnobs(knobs, {
  runtime,
  registrar,
  registrations,
  collector,
  router,
  listener: () => listener,
});

const answers = new Answers(post).on('stats', () => schedulerStats(scheduler, listener, data.rings, stats));
registerProcesses(answers, runtime, `scheduler-${data.place}`);
registerTree(answers, runtime, `scheduler-${data.place}`);
registerMailboxes(answers, runtime);
registerKnobs(answers, knobs);
registerCode(answers, code.table);
registerMessageMarks(answers, scheduler.node.marks);
registerProfiles(answers, `scheduler-${data.place}`, clock);
registerTraces(answers, runtime);

registerAlerts(answers, runtime);

/** Starts the chat. A port that cannot be opened is the operator's business: it is told in one line. */
function start(parts: ChatSchedulerParts): ChatScheduler {
  try {
    return new ChatScheduler(parts);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const refusal = findListenError(error instanceof ListenError ? error : cause);
    if (refusal === null) throw error;
    post({ type: 'refused', message: refusal.message });
    process.exit(0);
  }
}

/** The reason within the reasons of supervisors whose child could not start. */
function findListenError(reason: unknown): ListenError | null {
  for (let inner = reason; typeof inner === 'object' && inner !== null; ) {
    if (inner instanceof ListenError) return inner;
    const { error, cause, reason: below, detail } = inner as Record<string, unknown>;
    inner = error ?? cause ?? below ?? detail;
  }
  return null;
}

function openPorts(acceptor: ConnectionAcceptor): LimitedListener {
  const open = listen(
    {
      ...listenerOptionsOf(knobs.config),
      port,
      sharing,
      homePort,
      homePorts: () => [...homePorts.values()],
      shared: data.admission,
      place: data.place,
      timeOffsetMs,
      onHandlerError: (error) => {
        const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
        post({ type: 'event', level: 'error', message: 'a connection handler threw', fields: { stack } });
      },
      onCounted: () => runtime.stats?.stirred(),
    },
    acceptor,
    clock,
  );
  listener = open;
  port = open.port;
  if (homePort !== null) {
    homePort = open.homePort;
    homePorts.set(data.place, homePort);
  }
  if (sharing === 'founds') sharing = 'joins';
  return open;
}

/** The top supervisor has ended. The thread goes with it, and the main thread has the next word. */
function ended(reason: ExitReason): void {
  if (draining && isOrderly(reason)) return;
  // In a turn of its own: here it would be the crash of the process that was told, and the thread would stay.
  clock.defer(() => {
    throw new Error(`the scheduler's supervisor gave up: ${formatReason(reason)}`);
  });
}

/** Sends the clients away, and says when they have gone. The processes stay: other schedulers may still need them. */
async function drain(graceMs: number, jitterMs: number): Promise<void> {
  const again = draining;
  draining = true;
  if (!again) scheduler.leave(graceMs, jitterMs);
  const terminated = (await listener?.drain(graceMs + (again ? 0 : CLOSE_MS))) ?? 0;
  if (!again) post({ type: 'drained', terminated });
}
/** For the closing handshakes, behind the grace. */
const CLOSE_MS = 1000;

/** Ends the processes, waits until the store has answered all it was asked, and ends. */
async function end(): Promise<void> {
  draining = true;
  scheduler.end();
  await store.settled();
  store.close();
  // At once, not when the loop has run dry: a peer that never answers FIN would keep a socket, and the thread with it,
  // for a quarter of a minute. What was sent is the kernel's by now, and what is open is closed at the exit.
  process.exit(0);
}

parent.on('message', (message: ToScheduler) => {
  switch (message.type) {
    case 'start-partitions':
      scheduler.startPartitions(message.partitions);
      break;
    case 'stop-partitions': {
      const { partitions } = message;
      scheduler.stopPartitions(partitions, () => post({ type: 'partitions-stopped', partitions }));
      break;
    }
    case 'partition-at': {
      const { partition, place, address, homePort } = message;
      if (homePort !== 0) homePorts.set(place, homePort);
      const pid = runtime.pid(address.scheduler, address.id) as Pid<PartitionMessage>;
      scheduler.partitionAt(partition, pid, homePort);
      break;
    }
    case 'drain':
      void drain(message.graceMs, message.jitterMs);
      break;
    case 'end':
      void end();
      break;
    case 'left':
      throw new Error('this scheduler did not take what the store had for it, and was left');
    case 'question':
      answers.answer(message);
      break;
    case 'sms-result':
      gateway.answered(message.id, message.failure);
      break;
    case 'inject':
      injectFault(scheduler, message.fault);
      break;
  }
});

post({ type: 'listening', port, homePort: homePort ?? 0 });
