// A counter whose code is changed twice and rolled back while it is being called. Run it: node examples/hot-code/main.js
import { defaultRuntime, GenServer } from 'rookery';
import {
  bundle,
  CodeServer,
  compile,
  hotServer,
  localNode,
  ModuleTable,
  serverContract,
} from 'rookery/hot-code';

const runtime = defaultRuntime();
const file = (version) => new URL(`counter-${version}.ts`, import.meta.url).pathname;

// The table: modules by name. One thread, so one word says which operations are effective.
const word = new Int32Array(new SharedArrayBuffer(4));
const servers = new Set();
const table = new ModuleTable({
  clock: runtime.clock,
  hashOf: (module) => `${module}-1`,
  word,
  importModule: (specifier) => import(specifier),
  processes: (slot) => [...servers].filter((server) => server.slot === slot),
});
const first = await load(1);
const slot = table.define(serverContract('counter'), first);

// The code server: releases, history, rollback.
const code = new CodeServer({
  clock: runtime.clock,
  word,
  nodes: () => [localNode('here', table)],
  record: async ({ number, kind, message }) => console.log(`${number}: ${kind}: ${message}`),
  onAutomatic: ({ evidence }) => console.log(`by itself: ${evidence}`),
  onFailure: (error) => console.error(error),
});

const callbacks = hotServer(slot);
servers.add(callbacks);
const counter = GenServer.start(runtime, callbacks, { name: 'counter' }).ok;

let asked = 0;
let answered = 0;
let isCalling = true;
const calling = (async () => {
  while (isCalling) {
    asked++;
    const count = await GenServer.call(runtime, counter, 'next');
    if (count !== ++answered) throw new Error(`${count} is not ${answered}`);
  }
})();

const say = async () => console.log(`version ${await GenServer.call(runtime, counter, 'version')} answers`);
await say();
for (const version of [2, 3]) {
  const { text, hash, imports } = await bundle(file(version));
  const release = await code.load([{ module: 'counter', text, hash, imports, file: file(version) }], {
    author: 'ada',
    message: `counter-${version}.ts`,
  });
  console.log(`${release.tried} live states were tried`);
  await say();
}
await code.rollback('ada', 'back to counter-2.ts');
await say();
isCalling = false;
await calling;
console.log(`${asked} calls, ${answered} answers, none lost and none twice`);
code.close();
await runtime.stop(counter);

/** What the program is started with is built in the same way. */
async function load(version) {
  const { text, hash, imports } = await bundle(file(version));
  return compile(
    { module: 'counter', number: 0, text, hash, imports, file: file(version), loadedAt: 0 },
    (specifier) => import(specifier),
  );
}
