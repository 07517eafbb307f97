import { decodeRegister, decodeVerify, ErrorCode, type FrameReader, isPhone } from '../protocol/index.js';
import type { RegistrationRefused } from './messages.js';
import type { SessionOutput } from './session-output.js';

/** The part of a session that registration needs. */
export interface RegisteringSession extends SessionOutput {
  /**
   * The registrar works on something for this connection. One at a time: so its mailbox and what waits for the store
   * are bounded by the connections, whatever these send.
   */
  registering: boolean;
}

/** REGISTER: the registrar makes a PIN and has it sent. */
export function register(session: RegisteringSession, reader: FrameReader): void {
  const { ref, phone } = decodeRegister(reader);
  if (!isPhone(phone)) {
    session.requestError(ref, ErrorCode.badPhone, `${phone} is no phone number (7 to 15 digits)`);
    return;
  }
  if (isBusy(session, ref)) return;
  session.registering = session.toRegistrar({
    type: 'ask-pin',
    session: session.pid,
    ref,
    user: phone,
    address: session.socket.remoteAddress,
  });
  if (!session.registering) {
    session.requestError(ref, ErrorCode.overloaded, 'registration is being restarted', 1000);
  }
}

/** VERIFY: the registrar has the PIN judged. */
export function verify(session: RegisteringSession, reader: FrameReader): void {
  const { ref, phone, pin, name } = decodeVerify(reader);
  if (!isPhone(phone)) {
    session.requestError(ref, ErrorCode.badPhone, `${phone} is no phone number (7 to 15 digits)`);
    return;
  }
  if (isBusy(session, ref)) return;
  session.registering = session.toRegistrar({
    type: 'verify-pin',
    session: session.pid,
    ref,
    user: phone,
    pin,
    name,
    address: session.socket.remoteAddress,
  });
  if (!session.registering) {
    session.requestError(ref, ErrorCode.overloaded, 'registration is being restarted', 1000);
  }
}

function isBusy(session: RegisteringSession, ref: number): boolean {
  if (!session.registering) return false;
  session.requestError(ref, ErrorCode.rateLimited, 'one REGISTER or VERIFY at a time', 1000);
  return true;
}

/** The registrar says no. */
export function registrationRefused(session: SessionOutput, message: RegistrationRefused): void {
  const { ref, retryAfterMs, triesLeft } = message;
  switch (message.reason) {
    case 'limited':
      session.requestError(ref, ErrorCode.pinLimited, 'too many tries: wait', retryAfterMs);
      break;
    case 'wrong-pin':
      session.requestError(
        ref,
        ErrorCode.pinWrong,
        'the PIN is wrong or has expired',
        retryAfterMs,
        triesLeft,
      );
      break;
    case 'gateway':
      session.requestError(ref, ErrorCode.overloaded, 'the SMS could not be sent', retryAfterMs);
      break;
    case 'store':
      session.requestError(ref, ErrorCode.storeUnavailable, 'the store does not answer now', retryAfterMs);
      break;
  }
}
