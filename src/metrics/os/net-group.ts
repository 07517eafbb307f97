import { counter, gauge } from '../columns.js';
import type { Figure, GroupDescription, GroupSource, Row } from '../reading.js';
import { parseInterfaces, parsePairs, parseSockets, parseSoftnet } from './parse-lines.js';
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
    const { interfaces, tcp, sockets, softnet } = this.#parts();
    const sum = (figure: (of: { received: readonly number[]; sent: readonly number[] }) => number): Figure =>
      interfaces === null
        ? null
        : interfaces.filter(({ name }) => name !== 'lo').reduce((total, one) => total + figure(one), 0);
    const socketPages = sockets?.get('TCP.mem');
    const figures: Figure[] = [
      sum(({ received }) => received[1]!),
      sum(({ sent }) => sent[1]!),
      sum(({ received }) => received[0]!),
      sum(({ sent }) => sent[0]!),
      sum(({ received }) => received[3]!),
      sum(({ sent }) => sent[3]!),
      ...['Tcp.InSegs', 'Tcp.OutSegs', 'Tcp.RetransSegs', 'Tcp.ActiveOpens', 'Tcp.PassiveOpens'].map(tcp),
      ...['Tcp.AttemptFails', 'Tcp.EstabResets', 'Tcp.CurrEstab'].map(tcp),
      ...['TcpExt.ListenOverflows', 'TcpExt.ListenDrops', 'TcpExt.SyncookiesSent'].map(tcp),
      sockets?.get('sockets.used') ?? null,
      sockets?.get('TCP.tw') ?? null,
      sockets?.get('TCP.orphan') ?? null,
      socketPages === undefined ? null : socketPages * PAGE_BYTES,
      softnet?.processed ?? null,
      softnet?.dropped ?? null,
      softnet?.squeezed ?? null,
    ];
    return [{ instance: '', figures }];
  }

  #parts() {
    const read = <T>(path: string, parse: (text: string) => T): T | null => {
      const text = this.#files.text(path);
      return text === null ? null : parse(text);
    };
    const snmp = read('proc/net/snmp', parsePairs);
    const netstat = read('proc/net/netstat', parsePairs);
    return {
      interfaces: read('proc/net/dev', parseInterfaces),
      tcp: (name: string): Figure => snmp?.get(name) ?? netstat?.get(name) ?? null,
      sockets: read('proc/net/sockstat', parseSockets),
      softnet: read('proc/net/softnet_stat', parseSoftnet),
    };
  }
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

  constructor(files: ProcFiles) {
    this.#files = files;
  }

  read(): readonly Row[] {
    return parseInterfaces(this.#files.text('proc/net/dev') ?? '')
      .filter(({ received, sent }) => received[1]! > 0 || sent[1]! > 0)
      .map(({ name, received: rx, sent: tx }) => ({
        instance: name,
        figures: [rx[1]!, tx[1]!, rx[0]!, tx[0]!, rx[2]!, tx[2]!, rx[3]!, tx[3]!],
      }));
  }
}
