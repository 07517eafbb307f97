import { type From, GenServer } from 'rookery';

interface State {
  readonly count: number;
  readonly calls: number;
}

/** The second counts its calls, too: its state is an object. */
export const init = () => GenServer.ok<State>({ count: 0, calls: 0 });

export const codeChange = (
  from: number | { readonly down: number },
  state: number | State,
): number | State =>
  // Going back it makes the state for the version before.
  typeof from === 'object' ? (state as State).count : { count: state as number, calls: 0 };

export const handleCall = (request: 'next' | 'version', _from: From<unknown>, { count, calls }: State) => {
  const next = { count: request === 'next' ? count + 1 : count, calls: calls + 1 };
  return GenServer.reply(request === 'version' ? 2 : next.count, next);
};
