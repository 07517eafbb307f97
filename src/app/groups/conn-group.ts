import { columnName, counter, gauge } from '../../metrics/columns.js';
import type { GroupSource, Row } from '../../metrics/reading.js';
import { CloseCode } from '../../protocol/index.js';
import { type FiguresOfThreads, rowsOnce, type ServerFigures } from '../server-figures.js';
import { sumOf } from './sum-of.js';

/** Closes are counted by these names: see `closeKey` of the transport. */
const CLOSES = ['normal', 'abnormal', ...Object.keys(CloseCode), 'other'];

/** Connections of clients, over all schedulers. */
export function connGroup(threads: FiguresOfThreads): GroupSource {
  const rows = rowsOnce((figures) => [rowOf(figures)]);
  return {
    description: {
      name: 'conn',
      version: 1,
      title: 'Connections',
      instance: null,
      columns: [
        gauge('open', '{connection}', 'WebSockets that are open.'),
        counter('accepts', '{connection}', 'WebSockets opened.'),
        counter('closes', '{connection}', 'WebSockets closed, for whatever reason.'),
        counter(
          'refused_full',
          '{connection}',
          'Connections refused because there were as many as there may be.',
        ),
        counter('refused_rate', '{connection}', 'Connections refused because too many came in a short time.'),
        counter(
          'refused_address',
          '{connection}',
          'Handshakes refused because their address had too many connections.',
        ),
        counter('refused_origin', '{connection}', 'Handshakes refused for their origin.'),
        counter('refused_protocol', '{connection}', 'Handshakes refused for their subprotocol.'),
        counter('frames_in', '{frame}', 'WebSocket messages received.'),
        counter('bytes_in', 'By', 'Bytes of WebSocket messages received.'),
        counter('frames_out', '{frame}', 'WebSocket messages sent.'),
        counter('bytes_out', 'By', 'Bytes of WebSocket messages sent.'),
        counter(
          'busy_port',
          '{event}',
          'Sends that found the buffer of their socket at its limit and were not taken.',
        ),
        counter(
          'slow_consumers',
          '{connection}',
          'Connections closed because their client did not take what was sent.',
        ),
        gauge('online', '{user}', 'Users that are online.'),
        gauge(
          'at_home',
          '{user}',
          'Users whose connection is on the scheduler of their inbox: no message for them takes a hop.',
        ),
        ...CLOSES.map((name) => counter(`close_${columnName(name)}`, '{connection}', descriptionOf(name))),
      ],
    },
    read: async () => rows(await threads.read()),
  };
}

function rowOf({ schedulers, listener, chat }: ServerFigures): Row {
  return {
    instance: '',
    figures: [
      sumOf(schedulers, (stats) => stats.connections),
      listener.sum('opened'),
      listener.sum('closed'),
      listener.sum('refusedFull'),
      listener.sum('refusedRate'),
      listener.sum('refusedAddress'),
      listener.sum('refusedOrigin'),
      listener.sum('refusedProtocol'),
      listener.sum('messagesIn'),
      listener.sum('bytesIn'),
      listener.sum('messagesOut'),
      listener.sum('bytesOut'),
      listener.sum('sendsDropped'),
      chat.sum('slowConsumers'),
      sumOf(schedulers, (stats) => stats.chat.online),
      sumOf(schedulers, (stats) => stats.chat.atHome),
      ...CLOSES.map((name) => listener.sum(`closed:${name}`)),
    ],
  };
}

function descriptionOf(name: string): string {
  switch (name) {
    case 'normal':
      return 'Closed by clients that left (1000, 1001).';
    case 'abnormal':
      return 'Connections that broke (1006).';
    case 'other':
      return 'Closed with any other code.';
    default:
      return `Closed with ${CloseCode[name as keyof typeof CloseCode]}, ${name}.`;
  }
}
