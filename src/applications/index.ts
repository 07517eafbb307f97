export {
  type AllStarted,
  Application,
  type ApplicationInfo,
  type ApplicationResult,
  type ApplicationStatus,
} from './application.js';
export {
  type ApplicationCalls,
  ApplicationController,
  type ApplicationControllerOptions,
  type ApplicationTerminated,
  type ConfigChangeFailed,
} from './application-controller.js';
export { type ApplicationError, formatApplicationError } from './application-error.js';
export type {
  ApplicationSpec,
  ApplicationStart,
  EnvChange,
  EnvOf,
  StartedWithState,
  StartType,
  Waiting,
} from './application-spec.js';
export type { ApplicationConfig } from './application-table.js';
