export type { CheckedSpec, ChildSpec, Restart, Shutdown } from './child-spec.js';
export { DynamicSupervisor, type DynamicSupervisorSpec } from './dynamic-supervisor.js';
export { type PartitionSupervisorSpec, Partitions, partitionSupervisor } from './partition-supervisor.js';
export type {
  ChildCounts,
  ChildInfo,
  DeleteChildResult,
  RestartChildResult,
  StopChildResult,
  SupervisorCalls,
} from './requests.js';
export {
  type AutoShutdown,
  type Strategy,
  Supervisor,
  type SupervisorPid,
  type SupervisorSpec,
  type SupervisorStart,
} from './supervisor.js';
