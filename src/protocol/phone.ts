/**
 * Whether a number can be a phone number in E.164 form without its plus sign: 7 to 15 digits, the first not 0
 * (ITU-T E.164; the lower bound keeps short codes out). As an integer the first digit is never 0.
 */
export function isPhone(user: number): boolean {
  return Number.isInteger(user) && user >= 1_000_000 && user <= 999_999_999_999_999;
}

/**
 * The phone number in what a person typed: digits with an optional plus in front and spaces, hyphens, dots,
 * slashes or brackets between them. Null when it is none.
 */
export function parsePhone(text: string): number | null {
  const digits = text
    .trim()
    .replace(/^\+/, '')
    .replace(/[\s\-./()]/g, '');
  if (!/^[1-9][0-9]{6,14}$/.test(digits)) return null;
  return Number(digits);
}

/** E.164 with its plus sign. */
export function formatPhone(user: number): string {
  return `+${user}`;
}
