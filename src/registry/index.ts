export {
  type GroupCalls,
  GroupMessage,
  type GroupMonitor,
  type GroupName,
  type ScopeMonitor,
} from './group-messages.js';
export { ProcessGroups } from './process-groups.js';
export {
  type Registered,
  type Registration,
  Registry,
  type RegistryKeys,
  type RegistryOptions,
  type ValueOf,
} from './registry.js';
export { RegisterMessage, UnregisterMessage } from './registry-messages.js';
