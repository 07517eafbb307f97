/**
 * Ways to break the server from outside. A simulation that stays green with one of them switched on has no teeth.
 *
 * | name | what is broken |
 * | --- | --- |
 * | sync | the disk says that it has synced, and has not |
 * | dedupe | the store forgets which message ids it has seen |
 * | resume | every cursor is taken for good, whatever epoch it is of |
 * | early | a message is acknowledged when it is applied, before it is on disk |
 * | receipt | what is wiped leaves no receipt |
 * | entry | one new entry in eight is not told to its inbox's partition |
 * | fence | a replaced device may go on |
 * | order | the entries of a page come in another order |
 * | leak | a session is not told that its socket is gone |
 * | block | a block is forgotten |
 */
export const SABOTAGES = [
  'sync',
  'dedupe',
  'resume',
  'early',
  'receipt',
  'entry',
  'fence',
  'order',
  'leak',
  'block',
] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export function isSabotage(name: string): name is Sabotage {
  return (SABOTAGES as readonly string[]).includes(name);
}
