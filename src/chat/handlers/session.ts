import { ExitReason } from '../../actors/exit-reason.js';
import type { SystemMessage } from '../../actors/system-message.js';
import {
  CLIENT_MESSAGE_BYTES_MAX,
  CloseCode,
  clientMaySend,
  closeCodeOf,
  closeName,
  decodeAck,
  decodeClientState,
  decodeHello,
  decodePing,
  decodePull,
  EphemeralKind,
  ErrorCode,
  ErrorRef,
  encodeChallenge,
  encodeGoAway,
  encodeHome,
  encodeMore,
  encodePong,
  encodeRegistered,
  FrameReader,
  FrameType,
  frameName,
  isKnownFrame,
  isPhone,
  isReservedFrame,
  PROTOCOL_VERSION,
  ProtocolError,
  Pull as PullFrame,
  WelcomeState,
} from '../../protocol/index.js';
import { partitionOf } from '../../storage/partition-of.js';
import { CommandKind } from '../../storage/stores.js';
import { takeTokens } from '../../structures/token-bucket.js';
import { ENTRY_OVERHEAD_BYTES, writeEntry, writePage } from '../delivery.js';
import { handleEphemeral, watch, writeEphemeral } from '../ephemerals.js';
import {
  type Appended,
  type Attach,
  type Attached,
  type Controlled,
  type EntryMessage,
  type Ephemeral,
  type PageMessage,
  ResumeState,
  type SessionMessage,
  type StoreFailed,
} from '../messages.js';
import { register, registrationRefused, verify } from '../registration.js';
import { handleRequest } from '../request.js';
import { answerSend, sendFailed, submitReadReceipt, submitSend } from '../sending.js';

import { Due, Phase, type SessionState } from '../session-state.js';

/** The wait before a command that the store could not take is tried again. */
const STORE_RETRY_MS = 1000;
const REATTACH_RETRY_MS = 250;
const ATTACH_RETRY_MS = 100;

// Decoding happens on one stack at a time, so one of each serves all sessions of the thread.
const reader = new FrameReader();
const pullFrame = new PullFrame();

/** A connection has come. */
export function opened(s: SessionState): void {
  arm(s, Due.deadline, s.out.node.limits.authDeadlineMs);
}

// ---- the process -------------------------------------------------------------------------------------------

export function receive(s: SessionState, message: SessionMessage | SystemMessage): void {
  switch (message.type) {
    case 'socket':
      if (message.hasWaited) s.out.waitingBytes -= message.bytes.length;
      if (s.out.phase !== Phase.closing) socketMessage(s, message.bytes, message.isBinary);
      break;
    case 'entry':
      if (s.out.phase === Phase.active) entry(s, message);
      break;
    case 'appended':
      appended(s, message);
      break;
    case 'page':
      if (s.out.phase === Phase.active) page(s, message);
      break;
    case 'socket-closed':
      s.out.phase = Phase.closing;
      s.out.self.exit(ExitReason.normal);
      break;
    case 'drained':
      drained(s);
      break;
    case 'timeout':
      if (message.message === Due.requests) s.out.requestsDue(STORE_RETRY_MS);
      else timeout(s, message.message as Exclude<Due, 'requests'>);
      break;
    case 'attached':
      attached(s, message);
      break;
    case 'attach-refused':
      attachRefused(s, message.reason);
      break;
    case 'superseded':
      if (message.by === 'device') close(s, CloseCode.deviceReplaced, 'another device took this number');
      else close(s, CloseCode.connectionReplaced, 'a newer connection took its place');
      break;
    case 'truncated':
      truncated(s);
      break;
    case 'controlled':
      controlled(s, message);
      break;
    case 'store-failed':
      storeFailed(s, message);
      break;
    case 'pull-refused':
      s.pullOutstanding = false;
      s.pullDeferred = true;
      arm(s, Due.store, STORE_RETRY_MS);
      break;
    case 'ephemeral':
      if (s.out.phase === Phase.active) ephemeral(s, message);
      break;
    case 'resync':
      reattach(s);
      break;
    case 'partitions-begun':
      partitionsBegun(s, message.partitions);
      break;
    case 'leave':
      leave(s, message.delayMs, message.graceMs);
      break;
    case 'pin-sent':
      s.out.registering = false;
      if (s.out.phase === Phase.anonymous) encodeChallenge(s.out.writer(), message);
      break;
    case 'registered':
      s.out.registering = false;
      if (s.out.phase === Phase.anonymous) encodeRegistered(s.out.writer(), message);
      break;
    case 'registration-refused':
      s.out.registering = false;
      if (s.out.phase === Phase.anonymous) registrationRefused(s.out, message);
      break;
    default:
      break;
  }
}

// ---- frames ------------------------------------------------------------------------------------------------

function socketMessage(s: SessionState, bytes: Uint8Array, isBinary: boolean): void {
  const { stats, limits, clock } = s.out.node;
  stats.bytesIn += bytes.length;
  if (!isBinary) {
    fatal(s, ErrorCode.malformed, 'this protocol has binary messages only');
    return;
  }
  const bytesMax = s.out.phase === Phase.active ? CLIENT_MESSAGE_BYTES_MAX : limits.anonymousBytesMax;
  if (bytes.length > bytesMax) {
    const text = `a message of ${bytes.length} bytes, at most ${bytesMax} are allowed`;
    fatal(s, ErrorCode.frameTooLarge, text);
    return;
  }
  const now = clock.now();
  const fullAt = takeTokens(limits.bytesRate, s.bytesFullAt, now, bytes.length);
  if (fullAt > 0) s.bytesFullAt = fullAt;
  const refusedMs = fullAt > 0 ? 0 : Math.min(60_000, Math.ceil(-fullAt));
  try {
    reader.reset(bytes);
    while (reader.next()) {
      stats.framesIn++;
      if (s.out.phase === Phase.active) frame(s, now, refusedMs);
      else frameBeforeActive(s, now, refusedMs);
      if (isClosing(s)) return;
    }
    // A sign of life, and work like any frame.
    if (bytes.length === 0 && takeFrame(s, now, 0) > 0 && limited(s)) return;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    fatal(s, error.code, error.message);
    return;
  }
  wipe(s);
}

/** @param refusedMs 0, or how long the rate of bytes wants the client to wait. */
function frame(s: SessionState, now: number, refusedMs: number): void {
  const waitMs = takeFrame(s, now, refusedMs);
  if (waitMs > 0 && limited(s)) return;
  switch (reader.type) {
    case FrameType.send:
      submitSend(s.out, reader, waitMs);
      break;
    case FrameType.ack:
      accept(s, decodeAck(reader));
      break;
    case FrameType.receipt:
      submitReadReceipt(s.out, reader, waitMs);
      break;
    case FrameType.pull:
      pull(s);
      break;
    case FrameType.ephemeral:
      handleEphemeral(s.out, reader, waitMs);
      break;
    case FrameType.clientState:
      clientState(s, decodeClientState(reader));
      break;
    case FrameType.ping:
      encodePong(s.out.writer(), decodePing(reader));
      break;
    case FrameType.pong:
      break;
    case FrameType.request:
      handleRequest(s.out, reader, waitMs);
      break;
    case FrameType.hello:
    case FrameType.register:
    case FrameType.verify:
      fatal(s, ErrorCode.outOfOrder, `${frameName(reader.type)} on an authenticated connection`);
      break;
    default:
      unknown(s);
      break;
  }
}

/** Takes one frame from the rate. 0: within it; otherwise how long the client has to wait. */
function takeFrame(s: SessionState, now: number, refusedMs: number): number {
  if (refusedMs > 0) return refusedMs;
  const fullAt = takeTokens(s.out.node.limits.opsRate, s.opsFullAt, now, 1);
  if (fullAt <= 0) return Math.max(1, Math.ceil(-fullAt));
  s.opsFullAt = fullAt;
  if (s.refusedSurplus > 0) s.refusedSurplus--;
  return 0;
}

function frameBeforeActive(s: SessionState, now: number, refusedMs: number): void {
  const { type } = reader;
  const anonymous = s.out.phase === Phase.anonymous;
  // Nothing is refused one by one here, but whoever floods is sent away as later on.
  if (takeFrame(s, now, refusedMs) > 0 && limited(s)) return;
  if (type === FrameType.hello && s.out.phase !== Phase.attaching) hello(s);
  else if (type === FrameType.ping && anonymous) encodePong(s.out.writer(), decodePing(reader));
  else if (type === FrameType.pong && anonymous) return;
  else if (type === FrameType.register && anonymous) register(s.out, reader);
  else if (type === FrameType.verify && anonymous) verify(s.out, reader);
  else if (!clientMaySend(type)) unknown(s);
  else if (anonymous) fatal(s, ErrorCode.notAuthenticated, `${frameName(type)} before authentication`);
  else fatal(s, ErrorCode.outOfOrder, `${frameName(type)} before the welcome`);
}

/** A reserved type is answered, an unknown one skipped unless it is critical. */
function unknown(s: SessionState): void {
  const { type } = reader;
  if (isKnownFrame(type)) {
    fatal(s, ErrorCode.outOfOrder, `${frameName(type)} is the server's to send`);
  } else if (reader.isCritical) {
    fatal(s, ErrorCode.unsupportedFrame, `critical frame ${frameName(type)} is not known`);
  } else if (isReservedFrame(type)) {
    const text = `${frameName(type)} is not supported yet`;
    s.out.error(ErrorRef.connection, 0, ErrorCode.notSupported, text, 0, type);
  }
}

/** Counts a refused frame. True: that was one too many, the connection is closed. */
function limited(s: SessionState): boolean {
  s.out.node.stats.rateLimited++;
  if (++s.refusedSurplus <= s.out.node.limits.refusedSurplusMax) return false;
  const text = `${s.refusedSurplus} frames more were above the rate than within it`;
  fatal(s, ErrorCode.rateLimited, text);
  return true;
}

// ---- who it is ---------------------------------------------------------------------------------------------

function hello(s: SessionState): void {
  const hello = decodeHello(reader);
  const { limits } = s.out.node;
  if (hello.versionMin > PROTOCOL_VERSION || hello.versionMax < PROTOCOL_VERSION) {
    const text = `this server speaks version ${PROTOCOL_VERSION}, the client ${hello.versionMin} to ${hello.versionMax}`;
    fatal(s, ErrorCode.unsupportedVersion, text);
    return;
  }
  if (hello.user === 0) {
    // A person reads an SMS and types: that takes longer than a client's hello. Saying hello again buys no time.
    if (s.out.phase === Phase.opened) arm(s, Due.deadline, limits.registrationDeadlineMs);
    s.out.phase = Phase.anonymous;
    s.out.welcome(WelcomeState.anonymous, 0, 0, 0);
    return;
  }
  if (!isPhone(hello.user) || hello.key.length === 0 || hello.device === 0) {
    fatal(s, ErrorCode.badCredentials, 'a hello with a user needs its number, device and key');
    return;
  }
  s.out.user = hello.user;
  s.out.device = hello.device;
  s.out.phase = Phase.attaching;
  arm(s, Due.deadline, limits.authDeadlineMs);
  const { key, epoch, seq } = hello;
  s.claim = { key, epoch, seq };
  attachWith(s, s.claim);
}

/** If there is no partition at the moment it is tried again, until the deadline of the authentication. */
function attachWith(s: SessionState, { key, epoch, seq }: Pick<Attach, 'key' | 'epoch' | 'seq'>): void {
  const leftMs = s.out.node.limits.authDeadlineMs - s.attachTries * ATTACH_RETRY_MS;
  if (attach(s, key, epoch, seq)) {
    if (s.timerDue === Due.attach) arm(s, Due.deadline, leftMs);
    return;
  }
  s.attachTries++;
  if (leftMs > ATTACH_RETRY_MS) arm(s, Due.attach, ATTACH_RETRY_MS);
  else attachRefused(s, 'store');
}

function attach(s: SessionState, key: Uint8Array | null, epoch: number, seq: number): boolean {
  return s.out.toPartition({
    type: 'attach',
    session: s.out.pid,
    requester: s.out.requester,
    user: s.out.user,
    device: s.out.device,
    key,
    epoch,
    seq,
    active: s.attentive,
  });
}

function attached(s: SessionState, message: Attached): void {
  const { head, pendingCount, pendingBytes } = message;
  if (s.out.phase === Phase.active) {
    // What it accepted itself since it asked is gone as well, and may have gone before the partition looked: they reach
    // the store by different ways. What was gone when its client came, that one knows from its WELCOME.
    const known = Math.max(s.window.accepted, s.toldTruncated);
    const isWhole = message.state !== ResumeState.reset && message.truncated <= known;
    if (!isWhole) {
      truncated(s);
      return;
    }
    // Back at a restarted partition: whatever came meanwhile is fetched by a pull. If the client has asked already
    // it is that pull, which went down with the partition: the client waits for its answer and not for MORE.
    if (s.batchOwed) submitPull(s, s.window.accepted);
    else if (pendingCount > 0) sayMore(s, head, pendingCount, pendingBytes);
    else pullForItself(s);
    tellHome(s);
    return;
  }
  if (s.out.phase !== Phase.attaching) return;
  s.out.phase = Phase.active;
  s.claim = null;
  disarm(s);
  // What it took to get here is not held against it.
  s.opsFullAt = 0;
  s.refusedSurplus = 0;
  s.window.sent = message.acked;
  s.window.accepted = message.acked;
  s.wiped = message.acked;
  s.toldTruncated = message.truncated;
  s.out.welcome(welcomeState(message.state), head, message.truncated, pendingCount);
  if (pendingCount > 0) sayMore(s, head, pendingCount, pendingBytes);
}

/** The partition may be on another scheduler now. */
function tellHome(s: SessionState): void {
  const { out } = s;
  const { node, homePort } = out;
  s.out.homePort = node.homePort(partitionOf(s.out.user));
  if (s.out.homePort === homePort) return;
  const delayMs = Math.round(node.runtime.random.next() * node.limits.homeJitterMs);
  encodeHome(s.out.writer(), { homePort: s.out.homePort, delayMs });
}

/** Entries were dropped (age, a full inbox's receipts): only a WELCOME can say so, so the client comes for one. */
function truncated(s: SessionState): void {
  if (s.out.phase === Phase.active) {
    close(s, CloseCode.slowConsumer, 'entries were dropped before they were accepted');
  }
}

function attachRefused(s: SessionState, reason: 'credentials' | 'device-replaced' | 'store'): void {
  if (s.out.phase === Phase.active && reason === 'store') {
    // A restarted partition that cannot reach the store yet.
    reattachLater(s);
    return;
  }
  if (s.out.phase !== Phase.attaching && s.out.phase !== Phase.active) return;
  switch (reason) {
    case 'credentials':
      fatal(s, ErrorCode.badCredentials, 'number, device and key do not belong together');
      break;
    case 'device-replaced':
      fatal(s, ErrorCode.deviceReplaced, 'another device took this number');
      break;
    case 'store':
      fatal(s, ErrorCode.storeUnavailable, 'the store does not answer now');
      break;
  }
}

function partitionsBegun(s: SessionState, partitions: ReadonlySet<number>): void {
  const mine = s.out.user !== 0 && partitions.has(partitionOf(s.out.user));
  if (s.out.phase === Phase.attaching && mine && s.claim !== null) attachWith(s, s.claim);
  if (s.out.phase !== Phase.active) return;
  for (const user of s.out.ephemeralsMade?.watches ?? []) {
    if (partitions.has(partitionOf(user))) watch(s.out, user, true);
  }
  if (mine) reattach(s);
}

function reattach(s: SessionState): void {
  if (s.out.phase !== Phase.active) return;
  s.window.pulling = true;
  s.pullOutstanding = false;
  if (!attach(s, null, s.out.node.epoch, s.window.accepted)) reattachLater(s);
}

function reattachLater(s: SessionState): void {
  s.reattachDue = true;
  arm(s, Due.store, REATTACH_RETRY_MS);
}

// ---- sending -----------------------------------------------------------------------------------------------

function appended(s: SessionState, message: Appended): void {
  if (s.out.phase !== Phase.active || answerSend(s.out, message)) return;
  close(s, CloseCode.deviceReplaced, 'another device took this number');
}

// ---- receiving ---------------------------------------------------------------------------------------------

function entry(s: SessionState, message: EntryMessage): void {
  const window = s.window;
  // A page may have overtaken an entry that was on its way.
  if (window.pulling || message.seq <= window.sent) return;
  const { limits } = s.out.node;
  const bodyBytes = message.bodyEnd - message.bodyStart;
  const size = bodyBytes + ENTRY_OVERHEAD_BYTES;
  if (
    !window.fits(size, limits.deliverWindowBytes) ||
    s.out.socket.bufferedBytes() > limits.bufferedBytesHigh
  ) {
    sayMore(s, message.seq, 1, bodyBytes);
    s.out.toPartition({ type: 'pause', session: s.out.pid, user: s.out.user });
    return;
  }
  writeEntry(s.out, message);
  window.push(message.seq, size);
  armAckTimer(s);
}

/** To pull mode: MORE, once. */
function sayMore(s: SessionState, head: number, count: number, bytes: number): void {
  s.window.pulling = true;
  s.pullOutstanding = false;
  s.out.node.stats.mores++;
  encodeMore(s.out.writer(), head, count, bytes);
}

/** Nothing waits, but whether nothing has come since only a read can tell: it brings push mode back. */
function pullForItself(s: SessionState): void {
  s.window.pulling = true;
  s.pullCountMax = s.out.node.limits.batchCountMax;
  s.pullBytesMax = s.out.node.limits.batchBytesMax;
  submitPull(s, s.window.accepted);
}

function accept(s: SessionState, seq: number): void {
  if (s.window.accept(seq)) {
    s.out.node.stats.acks++;
    return;
  }
  const text = `${seq} was accepted, but nothing beyond ${s.window.sent} was sent`;
  fatal(s, ErrorCode.ackBeyondSent, text);
}

/** Submits one wipe for all the acknowledgements of a message. */
function wipe(s: SessionState): void {
  const { accepted } = s.window;
  if (accepted <= s.wiped || s.out.phase !== Phase.active) return;
  const { store, clock } = s.out.node;
  if (store.wipe(s.out.requester, s.out.user, s.out.device, accepted, clock.wall())) s.wiped = accepted;
  else retryWipe(s);
}

function retryWipe(s: SessionState): void {
  s.wipeRetry = true;
  arm(s, Due.store, STORE_RETRY_MS);
}

function pull(s: SessionState): void {
  decodePull(reader, pullFrame);
  accept(s, pullFrame.seq);
  if (isClosing(s)) return;
  const { limits, stats } = s.out.node;
  stats.pulls++;
  s.batchOwed = true;
  if (!s.window.pulling) {
    // In push mode there is nothing to pull; answering all the same keeps the client's bookkeeping simple.
    s.window.pulling = true;
    s.out.toPartition({ type: 'pause', session: s.out.pid, user: s.out.user });
  }
  s.pullCountMax = clamp(pullFrame.countMax, limits.batchCountMax);
  s.pullBytesMax = clamp(pullFrame.bytesMax, limits.batchBytesMax);
  if (s.pullOutstanding) return;
  if (s.out.socket.bufferedBytes() > limits.bufferedBytesHigh) {
    s.pullDeferred = true;
    return;
  }
  wipe(s);
  submitPull(s, pullFrame.seq);
}

function submitPull(s: SessionState, after: number): void {
  s.pullOutstanding = s.out.toPartition({
    type: 'pull',
    session: s.out.pid,
    ref: ++s.pullRef,
    user: s.out.user,
    after,
    countMax: s.pullCountMax,
    bytesMax: s.pullBytesMax,
  });
  s.pullDeferred = !s.pullOutstanding;
  if (s.pullDeferred) arm(s, Due.store, STORE_RETRY_MS);
}

function page(s: SessionState, page: PageMessage): void {
  // Of an earlier pull, made before the session attached anew: what it waits for is still to come.
  if (!s.pullOutstanding || page.ref !== s.pullRef) return;
  s.pullOutstanding = false;
  s.batchOwed = false;
  const fits = writePage(s.out, page, s.window);
  s.window.pulling = page.hasMore || !fits;
  if (!fits && !page.hasMore) {
    // The partition believes that all is read and pushes again: tell it otherwise.
    s.out.toPartition({ type: 'pause', session: s.out.pid, user: s.out.user });
  }
  armAckTimer(s);
}

function drained(s: SessionState): void {
  if (s.out.phase !== Phase.active) return;
  if (s.pullDeferred && s.out.socket.bufferedBytes() <= s.out.node.limits.bufferedBytesHigh) {
    wipe(s);
    submitPull(s, s.window.accepted);
  }
  s.out.ephemeralsMade?.flush(s.out);
}

// ---- of the moment -----------------------------------------------------------------------------------------

function ephemeral(s: SessionState, message: Ephemeral): void {
  if (!s.attentive && message.kind === EphemeralKind.typing) s.out.node.stats.ephemeralsDropped++;
  else if (s.out.socket.bufferedBytes() <= s.out.node.limits.bufferedBytesHigh)
    writeEphemeral(s.out, message);
  else s.out.ephemerals().keep(s.out, message);
}

function clientState(s: SessionState, active: boolean): void {
  if (s.attentive === active) return;
  s.attentive = active;
  s.out.toPartition({ type: 'activity', session: s.out.pid, user: s.out.user, active });
}

// ---- answers of the store ----------------------------------------------------------------------------------

function controlled(s: SessionState, { ref, result }: Controlled): void {
  s.out.requestsMade?.take(ref)?.stored(result);
}

function storeFailed(s: SessionState, message: StoreFailed): void {
  if (s.out.phase !== Phase.active) return;
  switch (message.command) {
    case CommandKind.append:
      sendFailed(s.out, message.ref);
      break;
    case CommandKind.wipe:
      // Asked for again from the lowest point that is certain: wiping twice is harmless.
      s.wiped = 0;
      retryWipe(s);
      break;
    case CommandKind.control:
      s.out.requestsMade?.take(message.ref)?.notStored(STORE_RETRY_MS);
      break;
    default:
      break;
  }
}

// ---- timers, ends ------------------------------------------------------------------------------------------

function timeout(s: SessionState, due: Exclude<Due, 'requests'>): void {
  s.timer = null;
  switch (due) {
    case Due.deadline:
      if (s.out.phase !== Phase.active) close(s, CloseCode.authTimeout, 'not authenticated in time');
      break;
    case Due.acks:
      if (s.window.unacceptedBytes === 0) break;
      if (s.window.accepted === s.acceptedAtTimer) {
        s.out.node.stats.ackTimeouts++;
        close(s, CloseCode.ackTimeout, `nothing accepted for ${s.out.node.limits.ackTimeoutMs} ms`);
      } else armAckTimer(s);
      break;
    case Due.store:
      if (s.reattachDue) {
        s.reattachDue = false;
        reattach(s);
      }
      if (s.wipeRetry) {
        s.wipeRetry = false;
        wipe(s);
      }
      if (s.pullDeferred && !s.pullOutstanding) submitPull(s, s.window.accepted);
      armAckTimer(s);
      break;
    case Due.attach:
      if (s.out.phase === Phase.attaching && s.claim !== null) attachWith(s, s.claim);
      break;
    case Due.leave:
      close(s, CloseCode.goingAway, 'the server is going away');
      break;
  }
}

/** One timer for each session, re-armed lazily: traffic does not touch it. */
function armAckTimer(s: SessionState): void {
  if (s.timer !== null || s.window.unacceptedBytes === 0) return;
  s.acceptedAtTimer = s.window.accepted;
  arm(s, Due.acks, s.out.node.limits.ackTimeoutMs);
}

function arm(s: SessionState, due: Due, ms: number): void {
  if (s.leaving) return;
  // What waits for the store waits together, and no longer for each that joins.
  if (due === Due.store && s.timerDue === Due.store && s.timer !== null) return;
  disarm(s);
  s.timer = s.out.self.startTimer(ms, due);
  s.timerDue = due;
}

function disarm(s: SessionState): void {
  if (s.timer === null) return;
  s.out.self.cancelTimer(s.timer);
  s.timer = null;
}

function leave(s: SessionState, delayMs: number, graceMs: number): void {
  if (isClosing(s)) return;
  encodeGoAway(s.out.writer(), { reason: CloseCode.goingAway, delayMs: Math.round(delayMs), host: '' });
  s.leaving = false;
  arm(s, Due.leave, graceMs);
  s.leaving = true;
}

function isClosing(s: SessionState): boolean {
  return s.out.phase === Phase.closing;
}

/** Sends the error and closes with the close code that goes with it. */
function fatal(s: SessionState, code: ErrorCode, message: string): void {
  s.out.error(ErrorRef.connection, 0, code, message);
  close(s, closeCodeOf(code), message);
}

/** Ends the connection and the process: what was written goes out first. */
function close(s: SessionState, code: CloseCode, reason: string): void {
  s.out.phase = Phase.closing;
  s.out.node.corks.flushNow(s.out);
  s.out.socket.close(code, `${closeName(code)}: ${reason}`.slice(0, 120));
  s.out.self.exit(ExitReason.normal);
}

/** 0 leaves the choice to the server. */
function clamp(value: number, max: number): number {
  return value === 0 || value > max ? max : value;
}

function welcomeState(state: ResumeState): WelcomeState {
  switch (state) {
    case ResumeState.resumed:
      return WelcomeState.resumed;
    case ResumeState.truncated:
      return WelcomeState.truncated;
    case ResumeState.reset:
      return WelcomeState.reset;
  }
}
