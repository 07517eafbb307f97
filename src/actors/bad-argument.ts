/** The caller broke a rule that it could have kept: Erlang's badarg, with the rule in words. */
export class BadArgument extends Error {
  override readonly name = 'BadArgument';
}
