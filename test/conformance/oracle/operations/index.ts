import type { Operations } from '../operation.js';
import { eventOperations } from './gen-event.js';
import { genServerOperations } from './gen-server.js';
import { statemOperations } from './gen-statem.js';
import { procLibOperations } from './proc-lib.js';
import { processGroupOperations } from './process-groups.js';
import { processOperations } from './processes.js';
import { recordingOperations } from './recording.js';
import { supervisorOperations } from './supervisor.js';
import { sysOperations } from './sys.js';
import { timerOperations } from './timers.js';

/** All ops of the format, by name. One file for each area. */
export const OPERATIONS: Operations = {
  ...processOperations,
  ...timerOperations,
  ...recordingOperations,
  ...supervisorOperations,
  ...processGroupOperations,
  ...statemOperations,
  ...eventOperations,
  ...procLibOperations,
  ...genServerOperations,
  ...sysOperations,
};
