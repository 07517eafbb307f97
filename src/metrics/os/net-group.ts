import { counter, gauge } from '../columns.js';
import type { Figure, GroupDescription, GroupSource, Row } from '../reading.js';
import {
  type InterfaceCounts,
  parseInterfaces,
  parsePairs,
  parseSockets,
  parseSoftnet,
} from './parse-lines.js';
import type { ProcFiles } from './proc-files.js';

/** What the kernel counts TCP's buffers in. */
const PAGE_BYTES = 4096;

export const NET_DESCRIPTION: GroupDescription = {
  name: 'net',
  version: 1,
  title: 'Network: packets of all interfaces but loopback, TCP, sockets',
  instance: null,
  columns: [
    counter('rx_pck', '{packet}', 'Packets received.'),
    counter('tx_pck', '{packet}', 'Packets sent.'),
    counter('rx', 'By', 'Bytes received.'),
    counter('tx', 'By', 'Bytes sent.'),
    counter('rx_drop', '{packet}', 'Received packets that the interfaces dropped.'),
    counter('tx_drop', '{packet}', 'Packets to send that the interfaces dropped.'),
    counter('tcp_in', '{segment}', 'TCP segments received, over loopback too.'),
    counter('tcp_out', '{segment}', 'TCP segments sent, over loopback too.'),
    counter('retrans', '{segment}', 'TCP segments sent again.'),
    counter('active', '{connection}', 'TCP connections opened from here.'),
    counter('passive', '{connection}', 'TCP connections accepted.'),
    counter('failed', '{connection}', 'TCP connections that were not established.'),
    counter('resets', '{connection}', 'Established TCP connections that were reset.'),
    gauge('estab', '{connection}', 'Established TCP connections.'),
    counter('overflows', '{connection}', 'Connections lost because a queue of accepted ones was full.'),
    counter('listen_drop', '{connection}', 'Connections that a listening socket dropped, for any reason.'),
    counter('cookies', '{cookie}', 'SYN cookies sent, because a queue of half-open connections was full.'),
    gauge('sockets', '{socket}', 'Sockets in use, of any kind.'),
    gauge('tcp_tw', '{socket}', 'TCP sockets in TIME_WAIT.'),
    gauge('tcp_orphan', '{socket}', 'TCP sockets that no process has any more.'),
    gauge('tcp_mem', 'By', "Memory of TCP's buffers."),
    counter('soft_pck', '{packet}', 'Packets that soft interrupts handled.'),
    counter('soft_drop', '{packet}', 'Packets dropped because a backlog of a CPU was full.'),
    counter('squeezed', '{round}', 'Rounds of a soft interrupt that ended with packets left.'),
  ],
};

/** Group `net`: `/proc/net/dev`, `snmp`, `netstat`, `sockstat`, `softnet_stat`. */
export class NetGroup implements GroupSource {
  readonly description = NET_DESCRIPTION;
  readonly #files: ProcFiles;

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  read(): readonly Row[] {
    const read = <T>(path: string, parse: (text: string) => T): T | null =>
      this.#files.parsed(`proc/net/${path}`, parse);
    const figures: Figure[] = [
      ...sumsOf(read('dev', parseInterfaces)),
      ...(read('snmp', tcpOf) ?? NO_TCP),
      ...(read('netstat', extendedTcpOf) ?? NO_EXTENDED_TCP),
      ...(read('sockstat', socketsOf) ?? NO_SOCKETS),
      ...(read('softnet_stat', softOf) ?? NO_SOFT),
    ];
    return [{ instance: '', figures }];
  }
}

const TCP = [
  'InSegs',
  'OutSegs',
  'RetransSegs',
  'ActiveOpens',
  'PassiveOpens',
  'AttemptFails',
  'EstabResets',
  'CurrEstab',
];
const EXTENDED_TCP = ['ListenOverflows', 'ListenDrops', 'SyncookiesSent'];
const TCP_SOCKETS = ['tw', 'orphan', 'mem'];

/** Of a file that is not there. */
const none = (count: number): readonly Figure[] => Array.from({ length: count }, () => null);
const NO_SUMS = none(6);
const NO_TCP = none(TCP.length);
const NO_EXTENDED_TCP = none(EXTENDED_TCP.length);
const NO_SOCKETS = none(1 + TCP_SOCKETS.length);
const NO_SOFT = none(3);

/** Packets, bytes, drops, each received and sent, of all interfaces but loopback. */
function sumsOf(interfaces: readonly InterfaceCounts[] | null): readonly Figure[] {
  if (interfaces === null) return NO_SUMS;
  const sums = [0, 0, 0, 0, 0, 0];
  for (const { name, received, sent } of interfaces) {
    if (name === 'lo') continue;
    for (const [index, column] of [1, 0, 3].entries()) {
      sums[2 * index]! += received[column]!;
      sums[2 * index + 1]! += sent[column]!;
    }
  }
  return sums;
}

function tcpOf(text: string): readonly Figure[] {
  return parsePairs(text, 'Tcp', TCP);
}

function extendedTcpOf(text: string): readonly Figure[] {
  return parsePairs(text, 'TcpExt', EXTENDED_TCP);
}

function socketsOf(text: string): readonly Figure[] {
  const [waiting = null, orphans = null, pages = null] = parseSockets(text, 'TCP', TCP_SOCKETS);
  const [used = null] = parseSockets(text, 'sockets', ['used']);
  return [used, waiting, orphans, pages === null ? null : pages * PAGE_BYTES];
}

function softOf(text: string): readonly Figure[] {
  const softnet = parseSoftnet(text);
  return [softnet?.processed ?? null, softnet?.dropped ?? null, softnet?.squeezed ?? null];
}

export const INTERFACE_DESCRIPTION: GroupDescription = {
  name: 'iface',
  version: 1,
  title: 'Network interfaces',
  instance: 'interface',
  columns: [
    counter('rx_pck', '{packet}', 'Packets received.'),
    counter('tx_pck', '{packet}', 'Packets sent.'),
    counter('rx', 'By', 'Bytes received.'),
    counter('tx', 'By', 'Bytes sent.'),
    counter('rx_err', '{packet}', 'Packets received with errors.'),
    counter('tx_err', '{packet}', 'Packets that could not be sent.'),
    counter('rx_drop', '{packet}', 'Received packets dropped.'),
    counter('tx_drop', '{packet}', 'Packets to send dropped.'),
  ],
};

/** Group `iface`: a row for each interface that has ever seen a packet. */
export class InterfaceGroup implements GroupSource {
  readonly description = INTERFACE_DESCRIPTION;
  readonly #files: ProcFiles;

  #interfaces: readonly InterfaceCounts[] = [];
  #rows: readonly Row[] = [];

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  read(): readonly Row[] {
    const interfaces = this.#files.parsed('proc/net/dev', parseInterfaces) ?? [];
    if (interfaces !== this.#interfaces) this.#rows = Object.freeze(interfaceRows(interfaces));
    this.#interfaces = interfaces;
    return this.#rows;
  }
}

function interfaceRows(interfaces: readonly InterfaceCounts[]): readonly Row[] {
  return interfaces
    .filter(({ received, sent }) => received[1]! > 0 || sent[1]! > 0)
    .map(({ name, received: rx, sent: tx }) => ({
      instance: name,
      figures: [rx[1]!, tx[1]!, rx[0]!, tx[0]!, rx[2]!, tx[2]!, rx[3]!, tx[3]!],
    }));
}
