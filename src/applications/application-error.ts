import { type ExitReason, formatReason } from '../actors/index.js';

/** Why something could not be done with an application. `application` is the one that it is about. */
export type ApplicationError =
  /** Nobody has loaded it. */
  | { readonly type: 'unknown_application'; readonly application: string }
  | { readonly type: 'already_loaded'; readonly application: string }
  | { readonly type: 'not_loaded'; readonly application: string }
  /** It cannot be unloaded now. */
  | { readonly type: 'running'; readonly application: string }
  | { readonly type: 'already_started'; readonly application: string }
  /** It is not running: it was to be stopped, or another one needs it. */
  | { readonly type: 'not_started'; readonly application: string }
  /** Each needs the next, and the last the first. */
  | { readonly type: 'circular'; readonly application: string; readonly path: readonly string[] }
  /** `start`, or the `startPhase` of a phase, returned what it must not. */
  | {
      readonly type: 'bad_return';
      readonly application: string;
      readonly phase?: string;
      readonly value: unknown;
    }
  /** `start`, or the `startPhase` of a phase, gave an error, or threw. */
  | {
      readonly type: 'start_failed';
      readonly application: string;
      readonly phase?: string;
      readonly reason: ExitReason;
    };

/** One line for people. */
export function formatApplicationError(error: ApplicationError): string {
  const { application } = error;
  switch (error.type) {
    case 'circular':
      return `${application} needs itself: ${error.path.join(' → ')}`;
    case 'bad_return':
      return `${application}: ${whereOf(error.phase)} returned ${String(error.value)}`;
    case 'start_failed':
      return `${application}: ${whereOf(error.phase)} failed: ${formatReason(error.reason)}`;
    default:
      return `${application}: ${error.type.replaceAll('_', ' ')}`;
  }
}

function whereOf(phase: string | undefined): string {
  return phase === undefined ? 'start' : `phase ${phase}`;
}
