export type { Activity, DecayingRates } from './activity.js';
export { BadArgument } from './bad-argument.js';
export { type Alarm, type AlarmEvent, Alarms } from './behaviours/alarm-handler.js';
export { Behaviour, type BehaviourStatus, type SysStatus } from './behaviours/behaviour.js';
export type {
  HandlerAdded,
  HandlerDeleted,
  HandlerError,
  HandlerReply,
} from './behaviours/event-commands.js';
export {
  type EventHandler,
  GenEventExit,
  type HandlerCallResult,
  type HandlerEnd,
  type HandlerInit,
  type HandlerRef,
  type HandlerResult,
  type Swapped,
  type TerminateArgument,
} from './behaviours/event-handler.js';
export type { HandlerState } from './behaviours/event-manager.js';
export {
  type EventManagerPid,
  type EventManagerRef,
  type EventManagerStart,
  GenEvent,
} from './behaviours/gen-event.js';
export { GenServer, type ServerOptions, type ServerStart } from './behaviours/gen-server.js';
export { GenStatem, type StatemPid, type StatemStart } from './behaviours/gen-statem.js';
export { BadCodeChange } from './behaviours/handler-outcome.js';
export { abcast, type MultiCallResult, multiCall } from './behaviours/multi-call.js';
export { sameState } from './behaviours/same-state.js';
export {
  type CallResult,
  type CastResult,
  type CodeChange,
  type InitResult,
  type Next,
  type Returned,
  type ServerTimeout,
  serverTimeout,
  type TimedMessage,
} from './behaviours/server-result.js';
export type {
  HandleEventFunction,
  StateFunction,
  StateFunctions,
  StateHandler,
  StateHandlers,
  StatemStatus,
} from './behaviours/statem-callbacks.js';
export { StatemError, type StatemErrorKind } from './behaviours/statem-error.js';
export type { CallEvent, EventType, StatemEvent, StatemTypes } from './behaviours/statem-event.js';
export type {
  Action,
  Actions,
  EnterAction,
  EnterResult,
  EventResult,
  StatemCodeChange,
  StatemInit,
} from './behaviours/statem-result.js';
export { CallbackFailed, type CodeChangeResult, sys } from './behaviours/sys.js';
export type { DebugFunction, SysAction, SysEvent, SysStatistics } from './behaviours/sys-debug.js';
export { type OnTimeout, Task } from './behaviours/task.js';
export {
  type TaskFunction,
  type TaskOutcome,
  TaskRef,
  TaskReply,
  type TaskResult,
  taskBody,
} from './behaviours/task-ref.js';
export { type StreamOptions, TaskStream } from './behaviours/task-stream.js';
export { Asking, CallFailed, call, stop } from './calls.js';
export { whenDone } from './coroutine.js';
export { current } from './current.js';
export { Exit, Exited, ExitReason, formatReason, isOrderly, sameReason } from './exit-reason.js';
export { formatReport } from './format-report.js';
export type { MailboxMonitor, TopBy } from './mailbox-monitor.js';
export { type MailboxReport, mailboxReport, topMailboxes } from './mailbox-report.js';
export { type NameHolder, type NameTable, NameTableFull, NameTaken } from './name-table.js';
export { formatPid, type Pid, parsePid, RemotePid } from './pid.js';
export { type AcknowledgedStart, type ProcLibOptions, procLib } from './proc-lib.js';
export type { Process, Start } from './process.js';
export type { Priority } from './process-flag.js';
export type { ProcessInfo } from './process-info.js';
export { receive, sleep } from './receive.js';
export type { ExitHook, Receiver } from './receiver.js';
export { type AliasMode, Ref, RemoteRef } from './ref.js';
export { CallMessage, type CallOutcome, CastMessage, type From, StopMessage } from './request.js';
export {
  checkResponse,
  type LabelledResponse,
  RequestId,
  RequestIds,
  type Response,
  ResponseMessage,
  receiveResponse,
  sendRequest,
  waitResponse,
} from './request-id.js';
export type { RemoteSignal, Router, SchedulerWatcher } from './router.js';
export { Runtime } from './runtime.js';
export type { EventSink, RuntimeEvent } from './runtime-event.js';
export type { Budgets, RuntimeOptions, SpawnOptions } from './runtime-options.js';
export { RUNTIME_STATS, type RuntimeStat } from './runtime-stats.js';
export type { CallPair, ReplyTo, ServerPid } from './server-pid.js';
export { settled } from './settled.js';
export {
  type MonitoredStart,
  type Started,
  type StartOutcome,
  type StartResult,
  started,
} from './start-result.js';
export { type InitAck, type StartOptions, startProcess } from './starting.js';
export { SysMessage, type SysOperation, type SysReply } from './sys-request.js';
export { DownMessage, ExitMessage, type SystemMessage, TimeoutMessage } from './system-message.js';
export {
  MonitorMessage,
  type SystemMonitorOptions,
  type SystemMonitorSettings,
} from './system-monitor.js';
export type { Timer } from './timers.js';
export { type TraceEvent, type TraceSink, trace } from './tracing.js';
export type { Name, Target, Via, ViaTable } from './via.js';
export { type Blocking, isBlocking, isPromise, Wait, type WaitingMailbox } from './wait.js';
