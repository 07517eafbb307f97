import assert from 'node:assert/strict';
import type { Accepted, ReliablePeer } from './reliable-peer.js';
import { until } from './within.js';

const NONE: ReadonlySet<ReliablePeer> = new Set();

/**
 * Waits until all of `peers` have nothing unanswered and have seen all receipts for what was acknowledged to them.
 * What does not come within the time is left for {@link assertNothingLost} to name.
 */
export async function settle(
  peers: readonly ReliablePeer[],
  vanished: ReadonlySet<ReliablePeer> = NONE,
  ms = 30_000,
): Promise<void> {
  const present = peers.filter((peer) => !vanished.has(peer));
  const byUser = new Map(peers.map((peer) => [peer.user, peer]));
  const settled = () => {
    for (const peer of present) {
      peer.acknowledgeAll();
      if (peer.violations.length > 0) return true;
    }
    return present.every((peer) => peer.pending === 0 && isComplete(peer, byUser, vanished));
  };
  await until('all is settled', settled, { ms }).catch(() => {});
}

/** Everything acknowledged was accepted, delivered and (where the recipient does so) read. */
function isComplete(
  peer: ReliablePeer,
  byUser: ReadonlyMap<number, ReliablePeer>,
  vanished: ReadonlySet<ReliablePeer>,
): boolean {
  return peer.messages.every(({ id, to }) => {
    const recipient = byUser.get(to);
    if (!peer.isAcknowledged(id) || recipient === undefined || vanished.has(recipient)) return true;
    return (
      peer.delivered.get(to)?.has(id) === true && (!recipient.sendsReadReceipts || peer.read.get(to)?.has(id))
    );
  });
}

/**
 * Every acknowledged message reached its recipient exactly once and in order with its text; nothing that was not
 * acknowledged appeared twice; receipts are complete; no peer saw anything that a server must not do.
 */
export function assertNothingLost(
  peers: readonly ReliablePeer[],
  vanished: ReadonlySet<ReliablePeer> = NONE,
): void {
  const byUser = new Map(peers.map((peer) => [peer.user, peer]));
  for (const peer of peers) {
    const told = () => `${peer.user}:\n${peer.history.slice(-20).join('\n')}`;
    assert.deepEqual(peer.violations, [], told());
    const present = !vanished.has(peer);
    if (present) assert.equal(peer.pending, 0, `${peer.pending} sends without an answer; ${told()}`);

    // What this peer accepted, by sender: ids strictly ascend, so nothing came twice or in the wrong order.
    const last = new Map<number, Accepted>();
    for (const message of peer.accepted) {
      const { from, id, body } = message;
      const sender = byUser.get(from);
      assert.ok(sender, `a message from ${from}, who sent none`);
      const before = last.get(from);
      if (before !== undefined && id <= before.id) assert.fail(inversion(peer, sender, message, before));
      last.set(from, message);
      assert.equal(body, sender.textOf(id), `the text of message ${id} from ${from}`);
    }
    if (!present) continue;

    const acceptedBy = new Map<number, Set<number>>();
    for (const { id, to } of peer.messages) {
      const recipient = byUser.get(to);
      if (!peer.isAcknowledged(id) || recipient === undefined || vanished.has(recipient)) continue;
      const ids =
        acceptedBy.get(to) ??
        new Set(recipient.accepted.filter((m) => m.from === peer.user).map((m) => m.id));
      acceptedBy.set(to, ids);
      assert.ok(ids.has(id), `message ${id} from ${peer.user} to ${to} was acknowledged and is lost`);
      assert.ok(
        peer.delivered.get(to)?.has(id),
        `no delivered receipt for message ${id} from ${peer.user} to ${to}`,
      );
      if (recipient.sendsReadReceipts) {
        assert.ok(peer.read.get(to)?.has(id), `no read receipt for message ${id} from ${peer.user} to ${to}`);
      }
    }
    for (const [to, ids] of peer.delivered) {
      const recipient = byUser.get(to);
      const accepted = new Set(recipient?.accepted.filter((m) => m.from === peer.user).map((m) => m.id));
      for (const id of ids)
        assert.ok(accepted.has(id), `a delivered receipt for ${id}, which ${to} never accepted`);
    }
  }
  // Acknowledged to somebody who vanished later: still due to the recipient.
  for (const peer of vanished) {
    for (const { id, to } of peer.messages) {
      const recipient = byUser.get(to);
      if (!peer.isAcknowledged(id) || recipient === undefined || vanished.has(recipient)) continue;
      const got = recipient.accepted.some((message) => message.from === peer.user && message.id === id);
      assert.ok(got, `message ${id} from ${peer.user} to ${to} was acknowledged and is lost`);
    }
  }
}

/** What a report of a wrong order has to say: whether it came twice, where it stands in the log, what went before. */
function inversion(peer: ReliablePeer, sender: ReliablePeer, message: Accepted, before: Accepted): string {
  const same = peer.accepted.filter(({ from, id }) => from === message.from && id === message.id);
  const around = peer.accepted
    .filter(({ from }) => from === message.from)
    .map(({ seq, id }) => `${id}@${seq}`);
  const at = around.indexOf(`${message.id}@${message.seq}`);
  const history = ({ user, history }: ReliablePeer) => `${user}:\n${history.slice(-20).join('\n')}`;
  return [
    `message ${message.id}@${message.seq} of ${message.from} came behind ${before.id}@${before.seq}`,
    `it came ${same.length} times: ${same.map(({ seq }) => seq).join(' ')}`,
    `around it: ${around.slice(Math.max(0, at - 40), at + 40).join(' ')}`,
    `the recipient ${history(peer)}`,
    `the sender ${history(sender)}`,
  ].join('\n');
}
