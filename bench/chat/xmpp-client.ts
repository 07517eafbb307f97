import { connect, type Socket } from 'node:net';
import { LoadClient } from './load-client.js';

export const XMPP_HOST = 'localhost';
export const XMPP_PASSWORD = 'secret';

/** The local part of a client's address. */
export function xmppUser(index: number): string {
  return `load${index}`;
}

const STREAM =
  `<?xml version='1.0'?><stream:stream to='${XMPP_HOST}' xmlns='jabber:client' ` +
  `xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;
const NUMBER_DIGITS = 10;
const BODY = '<body>';
const END = '</message>';

const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

type Step = 'features' | 'authenticated' | 'bind-features' | 'bound' | 'ready';

/**
 * A minimal XMPP client (RFC 6120): SASL PLAIN without TLS, resource binding, and chat messages to the partner's
 * full address. No presence, no acknowledgements, no stream management: the least that a server can have to do.
 * A message's life ends when the partner has it.
 */
export class XmppClient extends LoadClient {
  #socket: Socket | null = null;
  #step: Step = 'features';
  #in = '';
  #out = '';
  #packetsIn = 0;
  #packetsOut = 0;

  protected override connect(port: number): void {
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (bytes) => {
          this.#read(readBuffer.toString('latin1', 0, bytes));
          return true;
        },
      },
    });
    socket.once('connect', () => socket.write(STREAM));
    socket.once('error', (error) => this.fault(error.message));
    socket.once('close', () => this.ready && this.fault('the connection was closed'));
    this.#socket = socket;
  }

  override close(): void {
    this.ready = false;
    this.#socket?.destroy();
  }

  override packets(): { in: number; out: number } {
    return { in: this.#packetsIn, out: this.#packetsOut };
  }

  protected override put(n: number): void {
    const number = String(n).padStart(NUMBER_DIGITS, '0');
    const filler = 'x'.repeat(this.shared.bodyBytes - NUMBER_DIGITS);
    this.#out +=
      `<message to='${xmppUser(this.partner.index)}@${XMPP_HOST}/load' type='chat' id='${n}'>` +
      `<body>${number}${filler}</body></message>`;
  }

  protected override write(): void {
    if (this.#out === '') return;
    this.#packetsOut++;
    this.#socket?.write(this.#out, 'latin1');
    this.#out = '';
  }

  #read(text: string): void {
    this.#packetsIn++;
    this.#in += text;
    if (this.#step !== 'ready') {
      this.#authenticate();
      return;
    }
    const now = performance.now();
    let at = 0;
    let count = 0;
    for (;;) {
      const end = this.#in.indexOf(END, at);
      if (end < 0) break;
      const body = this.#in.indexOf(BODY, at) + BODY.length;
      if (body < BODY.length || body > end) {
        this.fault(`no body: ${this.#in.slice(at, end)}`);
        return;
      }
      this.arrived(Number(this.#in.slice(body, body + NUMBER_DIGITS)), now);
      count++;
      at = end + END.length;
    }
    this.#in = this.#in.slice(at);
    if (count > 0) this.partner.finish(count);
  }

  #authenticate(): void {
    if (this.#in.includes('<failure') || this.#in.includes('<stream:error')) {
      this.fault(`refused: ${this.#in.slice(0, 300)}`);
      return;
    }
    switch (this.#step) {
      case 'features': {
        if (!this.#in.includes('</stream:features>')) return;
        const plain = Buffer.from(`\0${xmppUser(this.index)}\0${XMPP_PASSWORD}`).toString('base64');
        this.#ask(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`);
        this.#step = 'authenticated';
        return;
      }
      case 'authenticated':
        if (!this.#in.includes('<success')) return;
        this.#ask(STREAM);
        this.#step = 'bind-features';
        return;
      case 'bind-features':
        if (!this.#in.includes('</stream:features>')) return;
        this.#ask(
          "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>load</resource></bind></iq>",
        );
        this.#step = 'bound';
        return;
      default:
        if (!this.#in.includes('</iq>')) return;
        this.#in = '';
        this.#step = 'ready';
        this.becameReady();
    }
  }

  #ask(text: string): void {
    this.#in = '';
    this.#socket?.write(text);
  }
}
