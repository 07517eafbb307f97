export {
  type Registered,
  type Registration,
  Registry,
  type RegistryKeys,
  type RegistryOptions,
  type ValueOf,
} from './registry.js';
export { RegisterMessage, UnregisterMessage } from './registry-messages.js';
