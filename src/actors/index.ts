export { BadArgument } from './bad-argument.js';
export {
  type CallPair,
  type CallResult,
  type CastResult,
  GenServer,
  type InitResult,
  type Next,
  type ReplyTo,
  type ServerOptions,
  type ServerPid,
  type ServerStart,
  type ServerTimeout,
  serverTimeout,
} from './behaviours/gen-server.js';
export { CallFailed } from './calls.js';
export { Exit, ExitReason, formatReason, isOrderly } from './exit-reason.js';
export { formatPid, type Pid, RemotePid } from './pid.js';
export type { Process, Start } from './process.js';
export type { Priority } from './process-flag.js';
export type { ProcessInfo } from './process-info.js';
export type { ExitHook, Receiver } from './receiver.js';
export type { AliasMode, Ref } from './ref.js';
export { CallMessage, type CallOutcome, CastMessage, type From, StopMessage } from './request.js';
export type { RemoteSignal, Router } from './router.js';
export { Runtime } from './runtime.js';
export type { EventSink, RuntimeEvent } from './runtime-event.js';
export type { RuntimeOptions, SpawnOptions } from './runtime-options.js';
export type { StartResult } from './start-result.js';
export { DownMessage, ExitMessage, type SystemMessage, TimeoutMessage } from './system-message.js';
export type { Timer } from './timers.js';
