import type { Clock } from '../../structures/clock.js';
import type { GroupSource } from '../reading.js';
import { DiskGroup } from './disk-group.js';
import { FilesGroup } from './files-group.js';
import { HardwareGroup } from './hardware-group.js';
import { InterfaceGroup, NetGroup } from './net-group.js';
import { OsGroup } from './os-group.js';
import { ProcFiles } from './proc-files.js';

/**
 * What the operating system says: `os`, `net`, `iface`, `disk`, `files`, `hw`. On systems without `/proc` everything is n/a.
 *
 * @param pid whose hardware counters; null: the whole machine's.
 */
export function osGroups(clock: Clock, pid: number | null, files = new ProcFiles()): readonly GroupSource[] {
  return [
    new OsGroup(files),
    new NetGroup(files),
    new InterfaceGroup(files),
    new DiskGroup(files),
    new FilesGroup(files),
    new HardwareGroup({ clock, pid }),
  ];
}
