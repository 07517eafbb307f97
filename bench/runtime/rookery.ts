import { contend } from './measure.js';
import { workloads } from './workloads.js';

await contend(workloads);
