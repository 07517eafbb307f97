/** The server cannot start for a reason that its operator can do something about. The message says what. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}
