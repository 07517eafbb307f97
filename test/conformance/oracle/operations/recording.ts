import type { Json } from '../json.js';
import { type Operations, text } from '../operation.js';
import { attempt } from '../puppet.js';

/** Ops for the recording itself. */
export const recordingOperations: Operations = {
  mark(world, [term], env) {
    world.mark(world.toTerm(term!, env));
    return 'ok';
  },
  keep(world, [name, term], env) {
    world.keep(text(name), world.toTerm(term!, env));
    return 'ok';
  },
  *try(world, operation, env) {
    const result = yield* attempt(world, operation as readonly Json[], env);
    world.log(['try', text(operation[0]), result]);
    return 'ok';
  },
};
