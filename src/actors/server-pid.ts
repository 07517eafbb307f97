import type { Pid } from './pid.js';

/** A kind of request and the type of its reply. */
export type CallPair = readonly [request: unknown, reply: unknown];

/** The reply to a request of type `Q`. */
export type ReplyTo<C extends CallPair, Q> = C extends readonly [infer Request, infer Reply]
  ? Q extends Request
    ? Reply
    : never
  : never;

declare const calls: unique symbol;
declare const casts: unique symbol;

/** The pid of a server; it knows what may be asked. */
export interface ServerPid<in C extends CallPair = never, in Casts = never, in Info = never>
  extends Pid<Info> {
  readonly [calls]?: (call: C) => void;
  readonly [casts]?: (cast: Casts) => void;
}
