/**
 * Code that is changed while it runs: `import { ModuleTable, CodeServer, bundle } from 'rookery/hot-code'`. See README.md.
 */
export { type Bundle, BundleFailed, type BundleOptions, bundle } from './bundle.js';
export { CodeServer, type CodeServerOptions, type Restored } from './code-server.js';
export { CompileFailed, compile, type ImportModule } from './compile.js';
export { type Contract, ContractBroken, functions } from './contract.js';
export { type HotBehaviour, HotProcess } from './hot-process.js';
export { type HotServerModule, hotServer, serverContract } from './hot-server.js';
export { JUDGE_RULES, type JudgeRules, judge, type Verdict } from './judge.js';
export { localNode } from './local-node.js';
export { ModuleSlot } from './module-slot.js';
export {
  type ChangeableProcess,
  type CodeChanging,
  type CodeEvent,
  type ModuleReport,
  ModuleTable,
  type ModuleTableOptions,
} from './module-table.js';
export { ModuleVersion, type VersionFigures } from './module-version.js';
export type {
  Change,
  CodeState,
  CodeText,
  Holders,
  ModuleState,
  Operation,
  Prepared,
  PrepareFailure,
} from './operation.js';
export { processesOf } from './processes-of.js';
export {
  AUTOMATIC,
  type CodeNode,
  type Held,
  type LoadOptions,
  type NewCode,
  type Purge,
  type Release,
  type ReleaseRecord,
  ReleaseRefused,
} from './release.js';
export type { Standing } from './standing.js';
