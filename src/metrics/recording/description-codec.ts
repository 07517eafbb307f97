import type { ColumnKind, GroupDescription } from '../reading.js';
import { ByteSink } from './byte-sink.js';
import type { ByteSource } from './byte-source.js';
import { RecordingError } from './recording-error.js';

const KINDS: readonly ColumnKind[] = ['counter', 'gauge', 'peak'];

/**
 * The groups of the frames that follow. Each description and each column is led by its length, so that a later version can
 * say more of them and this one still reads what it knows. A group's number is its place in the list.
 */
export function writeDescriptions(sink: ByteSink, groups: readonly GroupDescription[]): void {
  sink.varint(groups.length);
  const part = new ByteSink();
  for (const group of groups) {
    part.clear();
    part.text(group.name);
    part.varint(group.version);
    part.text(group.title);
    part.u8(group.instance === null ? 0 : 1);
    part.text(group.instance ?? '');
    part.varint(group.columns.length);
    for (const { name, kind, unit, description } of group.columns) {
      const column = new ByteSink(64);
      column.text(name);
      column.u8(KINDS.indexOf(kind));
      column.text(unit);
      column.text(description);
      part.varint(column.length);
      part.append(column.bytes);
    }
    sink.varint(part.length);
    sink.append(part.bytes);
  }
}

/** @throws RecordingError */
export function readDescriptions(source: ByteSource): readonly GroupDescription[] {
  const groups: GroupDescription[] = [];
  for (let left = source.varint(); left > 0; left--) {
    const part = source.part(source.varint());
    const name = part.text();
    const version = part.varint();
    const title = part.text();
    const hasInstances = part.u8() !== 0;
    const instance = part.text();
    const columns = [];
    for (let columnsLeft = part.varint(); columnsLeft > 0; columnsLeft--) {
      const column = part.part(part.varint());
      const columnName = column.text();
      const kind = KINDS[column.u8()];
      if (kind === undefined) throw new RecordingError(`the kind of ${name}.${columnName} is unknown`);
      columns.push({ name: columnName, kind, unit: column.text(), description: column.text() });
    }
    groups.push({ name, version, title, instance: hasInstances ? instance : null, columns });
  }
  return groups;
}
