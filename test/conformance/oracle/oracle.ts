import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { isObject, type Json } from './json.js';
import { traceOf } from './scenario.js';

/** The traces of a file of scenarios, as text. Throws an Error that names the file if it is none. */
export function traceFile(file: string): string {
  let scenarios: Json;
  try {
    scenarios = JSON.parse(readFileSync(file, 'utf8')) as Json;
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(scenarios)) throw new Error(`${file}: a scenario file is a list of scenarios`);
  const traces = (scenarios as readonly Json[]).map((scenario, at) => {
    if (!isObject(scenario)) throw new Error(`${file}: scenario ${at + 1} is no object`);
    return traceOf(scenario);
  });
  return `[\n${traces.join(',\n')}\n]\n`;
}

function main(): void {
  const command = new Command('oracle')
    .description(
      'Runs scenarios of processes on this runtime, over a simulated clock, and prints what was to be seen.',
    )
    .argument('<file...>', 'files of scenarios (JSON)')
    .option('-o, --output <folder>', 'write one trace for each file into this folder instead of printing it')
    .showHelpAfterError()
    .action((files: string[], { output }: { output?: string }) => {
      if (output !== undefined) mkdirSync(output, { recursive: true });
      for (const file of files) {
        const trace = traceFile(file);
        if (output === undefined) process.stdout.write(trace);
        else writeFileSync(join(output, basename(file)), trace);
      }
    });
  try {
    command.parse();
  } catch (error) {
    console.error(`oracle: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) main();
