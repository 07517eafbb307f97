/** Why a connection ended, or why the client does not try again. */
export interface Ending {
  /** A WebSocket close code: a CloseCode of the protocol, or 1006 when the peer vanished or was not reached. */
  readonly code: number;
  readonly reason: string;
}

/**
 * Why the client is closed and does not come back by itself.
 *
 * - `stopped`: its user closed it.
 * - `notRegistered`: there are no credentials.
 * - `badCredentials`: the server does not know this device's key (any more).
 * - `deviceReplaced`: the number was registered on another device; this one's key is dead.
 * - `connectionReplaced`: the same device opened a newer connection (a second window or process).
 * - `unsupported`: client and server speak different versions.
 * - `originRefused`: the server does not serve pages of this origin.
 * - `protocol`: the server found this client's frames wrong: a bug.
 */
export type ClosedReason =
  | 'stopped'
  | 'notRegistered'
  | 'badCredentials'
  | 'deviceReplaced'
  | 'connectionReplaced'
  | 'unsupported'
  | 'originRefused'
  | 'protocol';

export type ClientState =
  /** Not asked to connect yet. */
  | { readonly kind: 'idle' }
  /** `attempt` 1 is the first try since the last stable connection. */
  | { readonly kind: 'connecting'; readonly attempt: number }
  /** Connected without credentials: a registration is going on. */
  | { readonly kind: 'registering' }
  | { readonly kind: 'online' }
  | {
      readonly kind: 'waiting';
      /** Wall-clock ms of the next try. */
      readonly retryAt: number;
      readonly delayMs: number;
      readonly attempt: number;
      readonly ending: Ending;
    }
  | { readonly kind: 'closed'; readonly reason: ClosedReason; readonly ending: Ending | null };
