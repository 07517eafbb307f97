import { CLIENT_MESSAGE_BYTES_MAX } from '../protocol/index.js';
import { tokenRate } from '../structures/token-bucket.js';
import type { ListenerLimits, ListenerOptions } from '../transport/listener.js';
import type { Config } from './config.js';
import { webAssets } from './web-assets.js';

/** What a listener takes from the configuration, in its own units. */
export function listenerOptionsOf(
  config: Config,
): Omit<ListenerOptions, 'port' | 'sharing' | 'homePort' | 'onHandlerError'> {
  return {
    host: config.host,
    maxPayloadBytes: CLIENT_MESSAGE_BYTES_MAX,
    idleTimeoutSeconds: Math.min(960, Math.ceil(config.idleTimeoutMs / 4000) * 4),
    origins: config.origins,
    ...listenerLimitsOf(config),
    assets: webAssets(),
    tls: config.tlsKeyFile === '' ? null : { keyFile: config.tlsKeyFile, certFile: config.tlsCertFile },
  };
}

/** Of these, what can be changed while it is open. */
export function listenerLimitsOf(config: Config): ListenerLimits {
  return {
    maxBackpressureBytes: config.socketBufferBytesMax,
    connectionsMax: config.connectionsMax,
    connectionsPerAddressMax: config.connectionsPerAddressMax,
    addressRate: tokenRate(config.addressConnectsPerSecond, config.addressConnectsBurst),
    nodeRate: tokenRate(config.connectsPerSecond, config.connectsBurst),
  };
}
