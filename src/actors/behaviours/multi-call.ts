import { current } from '../current.js';
import { ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import { RequestIds } from '../request-id.js';
import type { Runtime } from '../runtime.js';
import type { CallPair, ReplyTo, ServerPid } from '../server-pid.js';
import type { Blocking } from '../wait.js';

/** Who answered, and who did not, and why. */
export interface MultiCallResult<R> {
  readonly replies: readonly { readonly server: Pid | string; readonly value: R }[];
  readonly failed: readonly { readonly server: Pid | string; readonly reason: ExitReason }[];
}

/**
 * Calls several servers at the same time, of whatever schedulers, and waits for all: OTP's gen_server:multi_call, with
 * servers in the place of nodes, since a name belongs to one process of all schedulers. Who has not answered in
 * `timeoutMs` (Infinity) has failed with `timeout`; who is not there, with `noproc`. It never throws, and leaves no late
 * answer behind. From outside: `await runtime.wait(multiCall(…))`.
 */
export function* multiCall<C extends CallPair, const Q extends C[0]>(
  servers: readonly (ServerPid<C, never, never> | string)[],
  request: Q,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Blocking<MultiCallResult<ReplyTo<C, Q>>> {
  type R = ReplyTo<C, Q>;
  const self = yield* current();
  const { runtime } = self;
  const replies: { server: Pid | string; value: R }[] = [];
  const failed: { server: Pid | string; reason: ExitReason }[] = [];
  const requests = new RequestIds<R, Pid | string>();
  const deadline = runtime.clock.now() + timeoutMs;
  for (const server of servers) {
    if (runtime.resolve(server) === (self as Pid)) failed.push({ server, reason: ExitReason.callingSelf });
    else requests.send<C, Q>(self, server, request, server);
  }
  for (;;) {
    const response = yield* requests.receive(Math.max(0, deadline - runtime.clock.now()));
    if (response === 'no_request') return { replies, failed };
    if (response === 'timeout') break;
    if (response.type === 'reply') replies.push({ server: response.label, value: response.value });
    else failed.push({ server: response.label, reason: response.reason });
  }
  for (const [, server] of requests.toList()) failed.push({ server, reason: ExitReason.timeout });
  return { replies, failed };
}

/** Casts to several servers. Never fails. OTP's gen_server:abcast. */
export function abcast<Casts>(
  runtime: Runtime,
  servers: readonly (ServerPid<never, Casts, never> | string)[],
  message: Casts,
): void {
  for (const server of servers) runtime.cast(server, message);
}
