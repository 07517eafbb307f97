import { DiagLogLevel, diag } from '@opentelemetry/api';

/** Tells of what goes wrong within OpenTelemetry: a collector that does not answer, say. */
export function onProblem(tell: (message: string) => void): void {
  const told = (message: string) => tell(plain(message));
  const silent = () => {};
  diag.setLogger(
    { error: told, warn: told, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** Errors come as JSON with a stack. */
function plain(message: string): string {
  try {
    const error = JSON.parse(message) as { readonly message?: unknown };
    return typeof error.message === 'string' && error.message !== '' ? error.message : message;
  } catch {
    return message;
  }
}
