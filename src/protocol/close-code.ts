/**
 * WebSocket close codes of the application range. 4000–4399: connect again, after a delay;
 * 4400–4999: the same attempt would fail again. The numbers are stable for ever.
 */
export const CloseCode = {
  goingAway: 4000,
  slowConsumer: 4001,
  idleTimeout: 4002,
  overloaded: 4003,
  rateLimited: 4004,
  internalError: 4005,
  ackTimeout: 4006,
  authTimeout: 4007,
  partitionMoved: 4008,
  tooManyConnections: 4009,
  malformed: 4400,
  badCredentials: 4401,
  deviceReplaced: 4402,
  unsupportedVersion: 4403,
  frameTooLarge: 4404,
  protocolViolation: 4405,
  originRefused: 4406,
  connectionReplaced: 4407,
  unsupportedFrame: 4408,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

const names = new Map<number, string>();
for (const [name, code] of Object.entries(CloseCode)) names.set(code, name);

/** The reason text that goes with a close code: its name, short enough for a close frame (123 bytes). */
export function closeName(code: number): string {
  return names.get(code) ?? `close ${code}`;
}

/**
 * Whether a client should connect again after this close, by itself. Of the standard codes (RFC 6455,
 * section 7.4) those that blame the client's data end it, all others (1006 above all) are trouble on the way.
 */
export function mayReconnect(code: number): boolean {
  if (code >= 4000) return code < 4400;
  return !(code === 1002 || code === 1003 || code === 1007 || code === 1009 || code === 1010);
}
