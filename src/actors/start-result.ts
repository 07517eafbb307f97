import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';

/**
 * What came of a start: the process, or nothing because it had nothing to do (OTP's `ignore`), or why not. Exactly
 * one of the three is there, so `result.ok !== undefined` tells.
 */
export type StartResult<M = never> =
  | { readonly ok: Pid<M>; readonly ignore?: undefined; readonly error?: undefined }
  | { readonly ok?: undefined; readonly ignore: true; readonly error?: undefined }
  | { readonly ok?: undefined; readonly ignore?: undefined; readonly error: ExitReason };
