import { hashOf } from '../hot-code/bundle.js';
import { type CodeText, type NewCode, ReleaseRefused } from '../hot-code/index.js';
import type { Asker } from '../ops/action.js';
import type { BuiltModule, Code, LoadRequest, ModuleText } from '../ops/actions/code-actions.js';
import { programFile } from './chat-code.js';
import type { CodeControl, ReleaseData } from './code-control.js';

/** The operator's way to the code server. */
export class OperatorCode implements Code {
  readonly #control: CodeControl;

  constructor(control: CodeControl) {
    this.#control = control;
  }

  async list(): Promise<unknown> {
    const { server } = this.#control;
    return { ...(await server.survey()), probations: server.probations };
  }

  history(): unknown {
    return this.#control.history().map(({ at, data }) => ({ ...(data as ReleaseData).record, at }));
  }

  async text(module: string, version: number | null): Promise<ModuleText> {
    const state = this.#control.state().modules.find((state) => state.module === module);
    const codes = [state === undefined ? null : state.current, state?.previous, state?.canary];
    const code = codes.find((code) => code !== undefined && (version ?? numberOf(code)) === numberOf(code));
    if (code === undefined) {
      const kept = codes.filter((code) => code !== undefined).map(numberOf);
      throw new ReleaseRefused(`version ${version} of ${module} is not kept, but ${kept.join(' and ')}`);
    }
    if (code !== null) return { version: code.number, text: code.text, file: code.file };
    const file = programFile(module);
    if (file === null) throw new ReleaseRefused(`there is no module ${module}`);
    return { version: 0, text: null, file };
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

function numberOf(code: CodeText | null | undefined): number {
  return code?.number ?? 0;
}

/** What the code server refuses is told to the operator in its words. */
export function codeRefusal(error: unknown): string | null {
  return error instanceof ReleaseRefused ? error.message : null;
}

/** The hash is made here: it is the name of a file. */
function newCode({ module, text, imports, file, suspend }: BuiltModule): NewCode {
  return { module, text, imports, file, suspend, hash: hashOf(text) };
}
