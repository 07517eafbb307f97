/** Constants of protocol version 1. Lengths are in bytes unless the name says otherwise. */

/** The WebSocket subprotocol: its name carries the major version. */
export const SUBPROTOCOL = 'rookery.v1';
/** Where the WebSocket lives. */
export const WEBSOCKET_PATH = '/ws';
/** The version that this code speaks, negotiated in HELLO and WELCOME. */
export const PROTOCOL_VERSION = 1;

/** The largest value of a varint: 2^53−1, so that every language with doubles can hold it. */
export const VARINT_MAX = Number.MAX_SAFE_INTEGER;
/** A varint takes at most so many bytes (53 bits in groups of seven). */
export const VARINT_BYTES_MAX = 8;

/** A WebSocket message before WELCOME, from the client. */
export const UNAUTHENTICATED_MESSAGE_BYTES_MAX = 4 * 1024;
/** A WebSocket message from the client. */
export const CLIENT_MESSAGE_BYTES_MAX = 128 * 1024;
/** A whole BATCH frame. */
export const BATCH_BYTES_MAX = 256 * 1024;
/** A WebSocket message from the server: one BATCH and some small frames. */
export const SERVER_MESSAGE_BYTES_MAX = BATCH_BYTES_MAX + 4 * 1024;
/** The body of one message. */
export const BODY_BYTES_MAX = 64 * 1024;

/** A device key: random bytes. */
export const KEY_BYTES = 32;
export const AGENT_BYTES_MAX = 64;
export const NAME_BYTES_MAX = 64;
export const PIN_DIGITS_MIN = 5;
export const PIN_DIGITS_MAX = 6;
export const HOST_BYTES_MAX = 255;
/** The text of an ERROR; longer ones are clipped. */
export const ERROR_TEXT_BYTES_MAX = 256;

export const METHOD_BYTES_MAX = 32;
export const REQUEST_BYTES_MAX = 16 * 1024;
export const REQUEST_ITEMS_MAX = 1024;
export const RESPONSE_BYTES_MAX = 64 * 1024;
export const RESPONSE_ITEMS_MAX = 8192;
/** Maps and arrays inside one another, the outermost map counted. */
export const STRUCTURED_DEPTH_MAX = 8;

/** Ranges in one receipt. */
export const RECEIPT_RANGES_MAX = 64;
