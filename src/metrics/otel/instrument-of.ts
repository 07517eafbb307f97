import type { Column, GroupDescription, Unit } from '../reading.js';

/** What a column is called outside, and how its figures are turned into the unit that is usual there. */
export interface InstrumentOf {
  readonly name: string;
  /** UCUM: seconds and bytes, not their parts and multiples. */
  readonly unit: Unit;
  /** The figure times this is the value. */
  readonly scale: number;
  /** The figure is times this column of its row as well. */
  readonly times?: string;
  /** The same for every row. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The attribute that names the row; null: the group has one row only. */
  readonly instanceAttribute: string | null;
  readonly description: string;
}

interface Convention {
  readonly name: string;
  readonly unit: Unit;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly times?: string;
  readonly description: string;
}

const cpuTime = (mode: string): Convention => ({
  name: 'system.cpu.time',
  unit: 's',
  attributes: { 'cpu.mode': mode },
  times: 'cpus',
  description: 'Time of all CPUs together, by what they did.',
});
const memory = (state: string): Convention => ({
  name: 'system.memory.usage',
  unit: 'By',
  attributes: { 'system.memory.state': state },
  description: 'Memory of the machine, by what it is used for.',
});
const faults = (kind: string): Convention => ({
  name: 'system.paging.faults',
  unit: '{fault}',
  attributes: { 'system.paging.fault.type': kind },
  description: 'Page faults; major ones waited for a disk.',
});
const swapped = (direction: string): Convention => ({
  name: 'system.paging.operations',
  unit: '{operation}',
  attributes: { 'system.paging.direction': direction },
  description: 'Pages swapped in and out.',
});
const network = (name: string, unit: Unit, direction: string, description: string): Convention => ({
  name: `system.network.${name}`,
  unit,
  attributes: { 'network.io.direction': direction },
  description,
});
const disk = (name: string, unit: Unit, direction: string, description: string): Convention => ({
  name: `system.disk.${name}`,
  unit,
  attributes: { 'disk.io.direction': direction },
  description,
});

/** Columns for which OpenTelemetry's semantic conventions have a name (version 1.4x: system, process). */
const CONVENTIONS: Readonly<Record<string, Convention>> = {
  'os.user': cpuTime('user'),
  'os.nice': cpuTime('nice'),
  'os.system': cpuTime('system'),
  'os.idle': cpuTime('idle'),
  'os.iowait': cpuTime('iowait'),
  'os.irq': cpuTime('interrupt'),
  'os.softirq': cpuTime('softirq'),
  'os.steal': cpuTime('steal'),
  'os.cpus': {
    name: 'system.cpu.logical.count',
    unit: '{cpu}',
    description: 'CPUs that are on.',
  },
  'os.mem_total': { name: 'system.memory.limit', unit: 'By', description: 'Memory of the machine.' },
  'os.mem_free': memory('free'),
  'os.mem_cached': memory('cached'),
  'os.mem_avail': {
    name: 'system.linux.memory.available',
    unit: 'By',
    description: 'Memory that programs could have without swapping.',
  },
  'os.faults': faults('minor'),
  'os.majfaults': faults('major'),
  'os.swap_in': swapped('in'),
  'os.swap_out': swapped('out'),
  'iface.rx': network('io', 'By', 'receive', 'Bytes over network interfaces.'),
  'iface.tx': network('io', 'By', 'transmit', 'Bytes over network interfaces.'),
  'iface.rx_pck': network('packet.count', '{packet}', 'receive', 'Packets over network interfaces.'),
  'iface.tx_pck': network('packet.count', '{packet}', 'transmit', 'Packets over network interfaces.'),
  'iface.rx_err': network('errors', '{error}', 'receive', 'Packets with errors.'),
  'iface.tx_err': network('errors', '{error}', 'transmit', 'Packets with errors.'),
  'iface.rx_drop': network('packet.dropped', '{packet}', 'receive', 'Packets dropped.'),
  'iface.tx_drop': network('packet.dropped', '{packet}', 'transmit', 'Packets dropped.'),
  'disk.rd': disk('io', 'By', 'read', 'Bytes read and written.'),
  'disk.wr': disk('io', 'By', 'write', 'Bytes read and written.'),
  'disk.reads': disk('operations', '{operation}', 'read', 'Reads and writes that have ended.'),
  'disk.writes': disk('operations', '{operation}', 'write', 'Reads and writes that have ended.'),
  'disk.rd_time': disk('operation_time', 's', 'read', 'Time that reads and writes took, of all together.'),
  'disk.wr_time': disk('operation_time', 's', 'write', 'Time that reads and writes took, of all together.'),
  'disk.util': {
    name: 'system.disk.io_time',
    unit: 's',
    description: 'Time in which the device had something to do.',
  },
  'files.open': {
    name: 'process.unix.file_descriptor.count',
    unit: '{file_descriptor}',
    description: 'Files and sockets that the server has open.',
  },
  'mem.resident_bytes': {
    name: 'process.memory.usage',
    unit: 'By',
    description: 'Memory of the server as the operating system counts it.',
  },
};

/** Attributes that name rows, where the conventions have one. */
const INSTANCE_ATTRIBUTES: Readonly<Record<string, string>> = {
  disk: 'system.device',
  iface: 'network.interface.name',
};

/** How many of the usual unit one of this unit is. */
const SCALES: Readonly<Record<Unit, readonly [unit: Unit, scale: number]>> = {
  ms: ['s', 1e-3],
  us: ['s', 1e-6],
  ns: ['s', 1e-9],
  s: ['s', 1],
  KiBy: ['By', 1024],
};

/** Units that stand in a name, as Prometheus wants it. */
const SUFFIXES: Readonly<Record<Unit, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio' };

/**
 * The instrument for a column: OpenTelemetry's name where there is one, else `rookery.<group>.<column>` with its unit in
 * the name (`rookery.store.batch_seconds_max`).
 */
export function instrumentOf(group: GroupDescription, column: Column): InstrumentOf {
  const [unit, scale] = SCALES[column.unit] ?? [column.unit, 1];
  const convention = CONVENTIONS[`${group.name}.${column.name}`];
  const instanceAttribute =
    group.instance === null
      ? null
      : (INSTANCE_ATTRIBUTES[group.name] ?? group.instance.replaceAll(/[^a-zA-Z0-9_.]/g, '_'));
  const shared = { scale, instanceAttribute };
  if (convention !== undefined) {
    // A column that has changed its unit is not what the convention was written for.
    if (unit !== convention.unit && !(unit.startsWith('{') && convention.unit.startsWith('{')))
      throw new RangeError(`${group.name}.${column.name} is in ${column.unit}, not in ${convention.unit}`);
    return {
      ...shared,
      name: convention.name,
      unit: convention.unit,
      attributes: convention.attributes ?? {},
      description: convention.description,
      ...(convention.times === undefined ? {} : { times: convention.times }),
    };
  }
  return {
    ...shared,
    name: `rookery.${group.name}.${nameOf(column, unit)}`,
    unit,
    attributes: {},
    description: column.description,
  };
}

/** Prometheus keeps `_total` for counters. */
function nameOf({ name, kind }: Column, unit: Unit): string {
  const withUnit = nameWithUnit(name, unit);
  return kind !== 'counter' && /(^|_)total$/.test(withUnit) ? `${withUnit}_now` : withUnit;
}

function nameWithUnit(column: string, unit: Unit): string {
  const suffix = SUFFIXES[unit];
  if (suffix === undefined) return column;
  const parts = column.split('_').map((part) => (unit === 's' && /^(ms|us|ns)$/.test(part) ? suffix : part));
  if (!parts.includes(suffix)) parts.push(suffix);
  return parts.join('_');
}
