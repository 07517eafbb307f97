export { BadArgument } from './bad-argument.js';
export { Behaviour, type SysStatus } from './behaviours/behaviour.js';
export {
  type CallResult,
  type CastResult,
  GenServer,
  type InitResult,
  type Next,
  type ServerOptions,
  type ServerStart,
  type ServerTimeout,
  serverTimeout,
} from './behaviours/gen-server.js';
export { sys } from './behaviours/sys.js';
export type { SysEvent, SysStatistics } from './behaviours/sys-debug.js';
export { Asking, CallFailed, call, stop } from './calls.js';
export { whenDone } from './coroutine.js';
export { Exit, Exited, ExitReason, formatReason, isOrderly, sameReason } from './exit-reason.js';
export { type NameHolder, type NameTable, NameTableFull, NameTaken } from './name-table.js';
export { formatPid, type Pid, RemotePid } from './pid.js';
export type { Process, Start } from './process.js';
export type { Priority } from './process-flag.js';
export type { ProcessInfo } from './process-info.js';
export { receive, sleep } from './receive.js';
export type { ExitHook, Receiver } from './receiver.js';
export { type AliasMode, Ref, RemoteRef } from './ref.js';
export { CallMessage, type CallOutcome, CastMessage, type From, StopMessage } from './request.js';
export type { RemoteSignal, Router } from './router.js';
export { Runtime } from './runtime.js';
export type { EventSink, RuntimeEvent } from './runtime-event.js';
export type { RuntimeOptions, SpawnOptions } from './runtime-options.js';
export type { CallPair, ReplyTo, ServerPid } from './server-pid.js';
export { settled } from './settled.js';
export { type Started, type StartOutcome, type StartResult, started } from './start-result.js';
export { type InitAck, type MonitoredStart, type StartOptions, startProcess } from './starting.js';
export { SysMessage, type SysOperation, type SysReply } from './sys-request.js';
export { DownMessage, ExitMessage, type SystemMessage, TimeoutMessage } from './system-message.js';
export type { Timer } from './timers.js';
export type { Name, Target, Via, ViaTable } from './via.js';
export { type Blocking, isBlocking, isPromise, Wait } from './wait.js';
