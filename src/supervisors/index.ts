export type { AutoShutdown, Strategy } from './check-spec.js';
export {
  type AnyChildSpec,
  type CheckedSpec,
  type ChildFields,
  type ChildOverrides,
  type ChildSpec,
  childSpec,
  type Restart,
  type Shutdown,
  type SignificantChildSpec,
  type SignificantOverrides,
  type StartReturn,
} from './child-spec.js';
export {
  type DynamicChildSpec,
  DynamicSupervisor,
  type DynamicSupervisorInit,
  type DynamicSupervisorPid,
  type DynamicSupervisorSpec,
  type DynamicSupervisorStart,
} from './dynamic-supervisor.js';
export type { Ignore, InitFunction, Naming } from './initialize.js';
export {
  type NumberedPartitions,
  type PartitionFields,
  PartitionSupervisor,
  type PartitionSupervisorSpec,
  type PartitionsOf,
  partitionSupervisor,
} from './partition-supervisor.js';
export { type PartitionKey, Partitions } from './partitions.js';
export type {
  ChildCounts,
  ChildError,
  ChildInfo,
  DeleteChildResult,
  GetChildSpecResult,
  RestartChildResult,
  StartChildResult,
  SupervisorCalls,
  SupervisorPid,
  TerminateChildResult,
  WhichChildResult,
} from './requests.js';
export { UnknownRequest } from './requests.js';
export { Supervisor } from './supervisor.js';
export type {
  RestartLimits,
  SimpleSupervisorInit,
  SimpleSupervisorPid,
  SimpleSupervisorSpec,
  SupervisorInit,
  SupervisorSpec,
  SupervisorStart,
} from './supervisor-spec.js';
export {
  type TaskChildOptions,
  type TaskOptions,
  TaskSupervisor,
  type TaskSupervisorSpec,
} from './task-supervisor.js';
