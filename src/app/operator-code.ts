import { hashOf } from '../hot-code/bundle.js';
import { type NewCode, ReleaseRefused } from '../hot-code/index.js';
import type { Asker } from '../ops/action.js';
import type { BuiltModule, Code, LoadRequest } from '../ops/actions/code-actions.js';
import type { CodeControl, ReleaseData } from './code-control.js';

/** The operator's way to the code server. */
export class OperatorCode implements Code {
  readonly #control: CodeControl;

  constructor(control: CodeControl) {
    this.#control = control;
  }

  async list(): Promise<unknown> {
    const { server } = this.#control;
    return { modules: await server.report(), probations: server.probations };
  }

  history(): unknown {
    return this.#control.history().map(({ at, data }) => ({ ...(data as ReleaseData).record, at }));
  }

  async text(module: string, version: number | null): Promise<string> {
    const state = this.#control.state().modules.find((state) => state.module === module);
    const codes = [state?.current, state?.previous, state?.canary];
    const code = codes.find(
      (code) => code !== null && code !== undefined && (version ?? code.number) === code.number,
    );
    if (code !== null && code !== undefined) return code.text;
    const wanted = version === null ? '' : ` of version ${version}`;
    throw new ReleaseRefused(
      `there is no text${wanted} of ${module}: only versions that were loaded have one here`,
    );
  }

  check(modules: readonly BuiltModule[]): Promise<unknown> {
    return this.#control.server.check(modules.map(newCode));
  }

  load(request: LoadRequest, { author }: Asker): Promise<unknown> {
    const { modules, message, canary, promote, automatic, extra } = request;
    return this.#control.server.load(modules.map(newCode), {
      author,
      message,
      promote,
      automatic,
      extra,
      ...(canary === null ? {} : { canary }),
    });
  }

  rollback(target: readonly string[] | number | null, message: string, { author }: Asker): Promise<unknown> {
    return this.#control.server.rollback(author, message, target);
  }

  promote(message: string, { author }: Asker): Promise<unknown> {
    return this.#control.server.promote(author, message);
  }

  withdraw(message: string, { author }: Asker): Promise<unknown> {
    return this.#control.server.withdraw(author, message);
  }

  purge(
    modules: readonly string[] | null,
    kill: boolean,
    message: string,
    { author }: Asker,
  ): Promise<unknown> {
    return this.#control.server.purge(author, message, modules, kill);
  }
}

/** What the code server refuses is told to the operator in its words. */
export function codeRefusal(error: unknown): string | null {
  return error instanceof ReleaseRefused ? error.message : null;
}

/** The hash is made here: it is the name of a file. */
function newCode({ module, text, imports, file, suspend }: BuiltModule): NewCode {
  return { module, text, imports, file, suspend, hash: hashOf(text) };
}
