import { WsarError } from './wsar-error.js';

/** What is wrong with the arguments or the server is no crash. */
export async function said(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof WsarError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
