import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../app/setting.js';

/** `--for`: in ms. */
export function forOption(): Option {
  return new Option('--for <time>', 'how long: 500ms, 10s, 2m')
    .default(10_000, '10s')
    .argParser(milliseconds);
}

/** `--interval`: in µs. @param us when it is not given, with what the help says of it */
export function intervalOption(us: number, words: string): Option {
  return new Option('--interval <time>', 'between two samples: 250us, 1ms, 10ms')
    .default(us, words)
    .argParser(microseconds);
}

/** @throws InvalidArgumentError */
export function milliseconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0) throw new InvalidArgumentError(`It must be a time such as 500ms or 10s.`);
  return ms;
}

/** @throws InvalidArgumentError */
export function microseconds(text: string): number {
  const us = /^(\d{1,9})us$/.exec(text)?.[1];
  if (us !== undefined && Number(us) > 0) return Number(us);
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw new InvalidArgumentError('It must be a time such as 250us, 1ms or 10ms.');
  return ms * 1000;
}
