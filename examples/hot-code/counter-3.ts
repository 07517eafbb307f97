import { type From, GenServer } from 'rookery';

interface State {
  readonly count: number;
  readonly calls: number;
}

/** The third has the state of the second, and only answers otherwise. */
export const init = () => GenServer.ok<State>({ count: 0, calls: 0 });

export const handleCall = (request: 'next' | 'version', _from: From<unknown>, { count, calls }: State) => {
  const next = { count: request === 'next' ? count + 1 : count, calls: calls + 1 };
  return GenServer.reply(request === 'version' ? 3 : next.count, next);
};
