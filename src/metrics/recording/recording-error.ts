/** Bytes that are no recording, or not one that this version can read. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}
