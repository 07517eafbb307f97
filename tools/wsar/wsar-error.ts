/** A wrong argument, a file that cannot be read, a server that refuses: said in one line, and the exit code is 1 (2 for arguments). */
export class WsarError extends Error {
  override readonly name = 'WsarError';
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
