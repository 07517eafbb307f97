/** Rookery's client library. `./browser.js` and `./node.js` open a client over what each of the two offers. */
export * from './client-error.js';
export type * from './client-events.js';
export type * from './client-options.js';
export { DEFAULT_LIMITS } from './client-options.js';
export type * from './client-socket.js';
export type * from './client-state.js';
export * from './client-store.js';
export type * from './connectivity.js';
export * from './incoming.js';
export { MemoryClientStore } from './memory-store.js';
export type { Done, Outcome } from './pending-requests.js';
export * from './requests.js';
export * from './rookery-client.js';
export type * from './sent-message.js';
export { SentMessage } from './sent-message.js';
