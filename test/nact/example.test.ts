/** The example of docs/nact.md, as a program of its own. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { within } from '../support/within.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(root, 'examples/nact/main.js');

class Bank {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  errors = '';

  constructor(t: TestContext, path: string) {
    this.child = spawn(process.execPath, [MAIN, path], { cwd: root });
    atEnd(t, () => this.child.kill('SIGKILL'));
    this.child.stderr.on('data', (text) => {
      this.errors += String(text);
    });
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<unknown> {
    this.child.stdin.write(`${line}\n`);
    const { value } = await within(`an answer to ${line}`, this.#lines.next());
    return JSON.parse(value as string);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

test('the bank keeps its accounts through kill -9, refuses what it must, and survives bad requests', async (t) => {
  const path = join(temporaryFolder(t), 'bank.db');
  const first = new Bank(t, path);
  assert.deepEqual(await first.ask('deposit alice 100'), { balance: 100 });
  assert.deepEqual(await first.ask('withdraw alice 30'), { balance: 70 });
  assert.deepEqual(await first.ask('withdraw alice 71'), { error: 'only 70 left' });
  assert.deepEqual(await first.ask('deposit bob -5'), { error: 'not an amount: -5' });
  assert.deepEqual(await first.ask('deposit bob 5'), { balance: 5 });
  await first.kill();

  const second = new Bank(t, path);
  assert.deepEqual(await second.ask('balance alice'), { balance: 70 });
  // The account of alice fails; nobody answers, so the teller fails too, and both come back.
  assert.match(JSON.stringify(await second.ask('rob alice')), /failed/);
  assert.match(second.errors, /bank-system\/bank\/account-alice: Error: an account cannot rob/);
  assert.deepEqual(await second.ask('balance alice'), { balance: 70 });
  assert.deepEqual(await second.ask('balance bob'), { balance: 5 });
  second.child.stdin.end();
  const [code] = await within('the end', once(second.child, 'exit'));
  assert.equal(code, 0);
});

test('a file that is no journal is refused in a sentence', async (t) => {
  const bank = new Bank(t, join(root, 'package.json'));
  const [code] = await within('the end', once(bank.child, 'exit'));
  assert.equal(code, 1);
  assert.match(bank.errors, /package\.json: .*database/);
});

test('the page shows the programs as they are', () => {
  const page = readFileSync(join(root, 'docs/nact.md'), 'utf8');
  const main = readFileSync(MAIN, 'utf8');
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!.trim());
  assert.ok(blocks.length >= 2);
  for (const block of blocks) {
    const source = block.includes('spawnPersistent(')
      ? readFileSync(join(root, 'examples/nact/bank.js'), 'utf8')
      : main;
    assert.ok(source.includes(block), `not in the example: ${block.slice(0, 80)}`);
  }
});
