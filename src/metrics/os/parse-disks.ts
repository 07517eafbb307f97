import { behindSpaces, wholeNumbers, wordEnd } from './kernel-text.js';

export interface DiskCounts {
  readonly name: string;
  /** Words of `/proc/diskstats` behind the name (Documentation/admin-guide/iostats.rst): 11, 15 since 4.18, 17 since 5.5. */
  readonly words: readonly number[];
}

/** Names that are never devices of their own: memory, and loops over files of other devices. */
const NO_DEVICE = /^(loop|ram|zram|fd|sr)\d+$/;

/** `sda1`, `vda2`, `xvdf3`; `nvme0n1p2`, `mmcblk0p1`, `md0p1`. */
const PARTITION = /^(?:(?:s|v|xv|h)d[a-z]+\d+|(?:nvme\d+n\d+|mmcblk\d+|md\d+|nbd\d+)p\d+)$/;

/**
 * `/proc/diskstats`: whole devices only, since a partition's figures are in its device's, and none that has never done
 * anything.
 */
export function parseDisks(text: string): readonly DiskCounts[] {
  const disks: DiskCounts[] = [];
  for (const line of text.split('\n')) {
    // Behind the two numbers of the device.
    const start = behindSpaces(line, nextWord(line, nextWord(line, 0)));
    const end = wordEnd(line, start);
    const name = line.slice(start, end);
    if (name === '' || NO_DEVICE.test(name) || PARTITION.test(name)) continue;
    const words = wholeNumbers(line, end);
    if (words.length >= 11 && words.some((word) => word > 0)) disks.push({ name, words });
  }
  return disks;
}

/** Behind the word that comes next. */
function nextWord(line: string, from: number): number {
  return wordEnd(line, behindSpaces(line, from));
}
