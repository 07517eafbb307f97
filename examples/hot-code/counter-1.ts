import { type From, GenServer } from 'rookery';

/** The first version: its state is a number. */
export const init = () => GenServer.ok(0);

export const handleCall = (request: 'next' | 'version', _from: From<unknown>, count: number) =>
  request === 'version' ? GenServer.reply(1, count) : GenServer.reply(count + 1, count + 1);
