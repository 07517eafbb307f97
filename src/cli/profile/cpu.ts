import { open, rename, rm } from 'node:fs/promises';
import { Command } from 'commander';
import type { ProfileChunk, ProfileStarted } from '../../ops/profiles.js';
import { askAction, type OperatorFlags, OperatorRefused, toldPlainly } from '../operator-client.js';
import { forOption, intervalOption } from './times.js';
import { untilDone } from './wait-for-profile.js';

interface CpuFlags extends OperatorFlags {
  readonly for: number;
  readonly interval: number;
  readonly output?: string;
}

/** `rookery profile cpu`: a CPU profile of one thread, as a file. */
export function cpuCommand(): Command {
  const command = new Command('cpu')
    .summary('a CPU profile of one thread, for speedscope or Chrome')
    .description(
      'Samples the stack of one thread for a while and writes what was found as a .cpuprofile, which speedscope.app and Chrome (DevTools, Performance, Load profile) open. The thread goes on working: at 1ms it loses a few per cent, at 250us a third. Ctrl-C ends it before its time, and what was found so far is written.',
    )
    .argument('<thread>', 'main, writer-1, scheduler-1, …')
    .addOption(forOption())
    .addOption(intervalOption(1000, '1ms'))
    .option('-o, --output <file>', 'where to; - is standard output (default: THREAD-TIME.cpuprofile)')
    .addHelpText(
      'after',
      `
Examples:
  rookery profile cpu scheduler-1
  rookery profile cpu writer-1 --for 30s --interval 250us -o writer.cpuprofile
  npx speedscope writer.cpuprofile`,
    )
    .action((thread: string) =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<CpuFlags>();
        const output = flags.output ?? defaultFile(thread);
        // Before anything is asked of the server: a place that cannot be written is found at once.
        const write = await openOutput(output);
        try {
          const params = { thread, ms: flags.for, intervalUs: flags.interval };
          const started = await askAction<ProfileStarted>(flags, 'profile-cpu', params);
          await untilDone(flags, started);
          for (let at: number | null = 0; at !== null; ) {
            const chunk: ProfileChunk = await askAction<ProfileChunk>(flags, 'profile-fetch', {
              id: started.id,
              offset: at,
            });
            await write.text(chunk.text);
            at = chunk.next;
          }
          await write.done();
        } catch (error) {
          await write.undo();
          throw error;
        }
        if (output !== '-') process.stderr.write(`${output}\n`);
      }),
    );
  return command;
}

interface Output {
  text(text: string): Promise<void>;
  done(): Promise<void>;
  undo(): Promise<void>;
}

/** A file that is there when it is whole; what stood there before stays until then. @throws OperatorRefused */
async function openOutput(path: string): Promise<Output> {
  if (path === '-') {
    return {
      text: (text) =>
        new Promise((resolve, reject) =>
          process.stdout.write(text, (error) => {
            // That nobody reads it is no error of the command: see onClosedOutput.
            if (error == null || (error as NodeJS.ErrnoException).code === 'EPIPE') resolve();
            else reject(error);
          }),
        ),
      done: async () => {},
      undo: async () => {},
    };
  }
  const part = `${path}.part`;
  try {
    const file = await open(part, 'w');
    return {
      text: async (text) => {
        await file.writeFile(text);
      },
      done: async () => {
        await file.close();
        await rename(part, path);
      },
      undo: async () => {
        await file.close();
        await rm(part, { force: true });
      },
    };
  } catch (error) {
    throw new OperatorRefused(`${path} cannot be written: ${(error as Error).message}`);
  }
}

/** `scheduler-1-20260131T030405.cpuprofile`, by the clock of whoever asks. */
function defaultFile(thread: string): string {
  const time = new Date().toISOString().replace(/[-:]|\..*/g, '');
  return `${thread.replace(/[^\w-]/g, '_')}-${time}.cpuprofile`;
}
