import type { ChatLimits } from '../chat/chat-limits.js';
import type { RegistrationRates } from '../chat/registration-limits.js';
import { CLIENT_MESSAGE_BYTES_MAX, UNAUTHENTICATED_MESSAGE_BYTES_MAX } from '../protocol/index.js';
import type { StoreLimits } from '../storage/stores.js';
import { tokenRate } from '../structures/token-bucket.js';
import type { Config } from './config.js';

/** What the chat's hot path needs of the configuration, in the units in which it needs it. */
export function chatLimitsOf(config: Config): ChatLimits {
  return {
    heartbeatMs: config.heartbeatMs,
    authDeadlineMs: config.authDeadlineMs,
    // A PIN that has expired cannot be typed any more; a minute's grace for the clock on the wall.
    registrationDeadlineMs: config.pinLifeMs + 60_000,
    deliverWindowBytes: config.deliverWindowBytes,
    bufferedBytesHigh: config.deliverWindowBytes,
    ackTimeoutMs: config.ackTimeoutMs,
    bodyBytesMax: config.bodyBytesMax,
    batchBytesMax: config.batchBytesMax,
    batchCountMax: 4096,
    anonymousBytesMax: UNAUTHENTICATED_MESSAGE_BYTES_MAX,
    opsRate: tokenRate(config.operationsPerSecond, config.operationsBurst),
    bytesRate: tokenRate(config.receiveBytesPerSecond, config.receiveBytesBurst),
    waitingBytesMax: 32 * CLIENT_MESSAGE_BYTES_MAX,
    refusedSurplusMax: 1000,
    watchesMax: 512,
    requestsMax: 16,
    ephemeralsMax: 64,
    attachesMax: 4096,
    homeJitterMs: config.drainJitterMs,
  };
}

/** How often phones may be registered. */
export function registrationRatesOf(config: Config): RegistrationRates {
  const { pinsPerAddressHourMax, pinTriesMax, smsPerHourMax } = config;
  const triesPerHour = pinsPerAddressHourMax * pinTriesMax;
  return {
    addressPinRate: tokenRate(pinsPerAddressHourMax / 3600, pinsPerAddressHourMax),
    // Each PIN may be tried so often; an address may use up all tries of all its PINs.
    addressTryRate: tokenRate(triesPerHour / 3600, triesPerHour),
    smsBudget: tokenRate(smsPerHourMax / 3600, smsPerHourMax),
  };
}

/** What the store judges by. */
export function storeLimitsOf(config: Config): StoreLimits {
  return {
    inboxCountMax: config.inboxCountMax,
    inboxBytesMax: config.inboxBytesMax,
    inboxAgeMsMax: config.inboxAgeMsMax,
    pinTriesMax: config.pinTriesMax,
    pinLifeMs: config.pinLifeMs,
    pinResendMs: config.pinResendMs,
    pinsPerDayMax: config.pinsPerDayMax,
    blockedMax: config.blockedMax,
  };
}
