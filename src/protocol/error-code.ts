import { CloseCode } from './close-code.js';

/** Codes in ERROR frames and of {@link ProtocolError}. The numbers are stable for ever. */
export const ErrorCode = {
  malformed: 1,
  unsupportedVersion: 2,
  unsupportedFrame: 3,
  frameTooLarge: 4,
  notAuthenticated: 5,
  badCredentials: 6,
  deviceReplaced: 7,
  unknownRecipient: 8,
  blocked: 9,
  inboxFull: 10,
  bodyTooLarge: 11,
  /** detail: the highest id that the server knows of this device. */
  messageIdTooOld: 12,
  rateLimited: 13,
  overloaded: 14,
  storeUnavailable: 15,
  /** detail: tries left. */
  pinWrong: 16,
  pinLimited: 17,
  badPhone: 18,
  unknownMethod: 19,
  badRequest: 20,
  /** detail: the frame type or the kind of address. */
  notSupported: 21,
  ackBeyondSent: 22,
  outOfOrder: 23,
  internal: 24,
  invalidBody: 25,
  windowExceeded: 26,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const names = new Map<number, string>();
for (const [name, code] of Object.entries(ErrorCode)) names.set(code, name);

/** The name for logs and messages; `error 99` for a number this version does not know. */
export function errorName(code: number): string {
  return names.get(code) ?? `error ${code}`;
}

const retryable: ReadonlySet<number> = new Set([
  ErrorCode.inboxFull,
  ErrorCode.rateLimited,
  ErrorCode.overloaded,
  ErrorCode.storeUnavailable,
  ErrorCode.pinLimited,
  ErrorCode.internal,
]);

/** True when the same request may succeed later: the RETRYABLE flag that goes with this code. */
export function isRetryableError(code: number): boolean {
  return retryable.has(code);
}

/** How the connection is closed when an error ends it. Errors about one request end nothing and map to protocolViolation. */
export function closeCodeOf(code: ErrorCode): CloseCode {
  switch (code) {
    case ErrorCode.malformed:
      return CloseCode.malformed;
    case ErrorCode.unsupportedVersion:
      return CloseCode.unsupportedVersion;
    case ErrorCode.unsupportedFrame:
      return CloseCode.unsupportedFrame;
    case ErrorCode.frameTooLarge:
      return CloseCode.frameTooLarge;
    case ErrorCode.badCredentials:
      return CloseCode.badCredentials;
    case ErrorCode.deviceReplaced:
      return CloseCode.deviceReplaced;
    case ErrorCode.rateLimited:
      return CloseCode.rateLimited;
    case ErrorCode.overloaded:
    case ErrorCode.storeUnavailable:
      return CloseCode.overloaded;
    case ErrorCode.internal:
      return CloseCode.internalError;
    default:
      return CloseCode.protocolViolation;
  }
}
