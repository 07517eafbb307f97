import * as uWS from 'uWebSockets.js';

/**
 * The peer that Rookery is measured against: WebSockets in pairs, and what comes from one goes to the other.
 * One thread, no protocol, no storage, no checks: what uWebSockets.js and the kernel cost by themselves.
 *
 *     /relay/0 ⇄ /relay/1, /relay/2 ⇄ /relay/3, …        without a partner: an echo
 *
 * Prints its port as a line of JSON.
 */
interface User {
  readonly index: number;
  partner: uWS.WebSocket<User> | null;
}

const open = new Map<number, uWS.WebSocket<User>>();

const app = uWS.App().ws<User>('/relay/:index', {
  maxPayloadLength: 1 << 20,
  maxBackpressure: 1 << 26,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  upgrade: (response, request, context) => {
    response.upgrade<User>(
      { index: Number(request.getParameter(0)), partner: null },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  open: (ws) => {
    const user = ws.getUserData();
    open.set(user.index, ws);
    const partner = open.get(user.index ^ 1);
    if (partner === undefined) return;
    user.partner = partner;
    partner.getUserData().partner = ws;
  },
  message: (ws, message) => {
    (ws.getUserData().partner ?? ws).send(message, true, false);
  },
  close: (ws) => {
    const user = ws.getUserData();
    open.delete(user.index);
    if (user.partner !== null) user.partner.getUserData().partner = null;
    user.partner = null;
  },
});

app.listen('127.0.0.1', 0, (socket) => {
  if (socket === false) throw new Error('cannot listen');
  console.log(JSON.stringify({ port: uWS.us_socket_local_port(socket as unknown as uWS.us_socket) }));
});
