/**
 * A bank as somebody wrote it for nact: an actor for each account, made when it is first needed, whose state is the sum of
 * its events. It knows nothing of Rookery.
 */
import { dispatch, spawn, spawnPersistent } from 'nact';

const refusal = ({ type, amount }, balance) => {
  if (!Number.isSafeInteger(amount) || amount <= 0) return `not an amount: ${amount}`;
  if (type === 'withdraw' && amount > balance) return `only ${balance} left`;
  return null;
};

const spawnAccount = (bank, number) =>
  spawnPersistent(
    bank,
    async (state = { balance: 0 }, msg, ctx) => {
      switch (msg.type) {
        case 'deposit':
        case 'withdraw': {
          if (!ctx.recovering) {
            const error = refusal(msg, state.balance);
            if (error !== null) {
              dispatch(ctx.sender, { error }, ctx.self);
              return state;
            }
            await ctx.persist({ type: msg.type, amount: msg.amount }, [msg.type]);
          }
          const balance = state.balance + (msg.type === 'deposit' ? msg.amount : -msg.amount);
          if (!ctx.recovering) dispatch(ctx.sender, { balance }, ctx.self);
          return { ...state, balance };
        }
        case 'balance':
          dispatch(ctx.sender, { balance: state.balance }, ctx.self);
          return state;
        default:
          throw new Error(`an account cannot ${msg.type}`);
      }
    },
    `account-${number}`,
    `account-${number}`,
    { snapshotEvery: 100, onCrash: (_msg, _error, ctx) => ctx.stop },
  );

export const spawnBank = (system) =>
  spawn(
    system,
    (state, msg, ctx) => {
      const account = ctx.children.get(`account-${msg.account}`) ?? spawnAccount(ctx.self, msg.account);
      dispatch(account, msg, ctx.sender);
      return state;
    },
    'bank',
    { onCrash: (_msg, _error, ctx) => ctx.escalate },
  );
