/** The endpoint or the headers make no sense. */
export class OtlpTargetError extends RangeError {
  override readonly name = 'OtlpTargetError';
}

/** Where OTLP goes. */
export class OtlpTarget {
  readonly #endpoint: string;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param endpoint such as `http://collector:4318`; `/v1/metrics` and `/v1/traces` come behind it
   * @param headers as OpenTelemetry writes them: `authorization=Bearer%20abc,x-tenant=7`
   * @throws OtlpTargetError
   */
  constructor(endpoint: string, headers: string) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
      throw new OtlpTargetError(`otlp-endpoint must be an http or https URL, not "${endpoint}"`);
    this.#endpoint = url.href.replace(/\/+$/, '');
    this.headers = parseHeaders(headers);
  }

  url(signal: 'metrics' | 'traces'): string {
    return `${this.#endpoint}/v1/${signal}`;
  }
}

function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [index, part] of text.split(',').entries()) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, equals).trim();
    const value = decoded(part.slice(equals + 1).trim());
    // The value is a secret: it stands in no error.
    if (equals < 1 || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || value === null)
      throw new OtlpTargetError(
        `otlp-headers must be name=value pairs with commas between them; pair ${index + 1} is none`,
      );
    headers[name] = value;
  }
  return headers;
}

/** Percent-encoded, as in W3C Baggage; null: it is not, or a header could not hold it. */
function decoded(text: string): string | null {
  try {
    const value = decodeURIComponent(text);
    return /[^\t\x20-\x7e]/.test(value) ? null : value;
  } catch {
    return null;
  }
}
