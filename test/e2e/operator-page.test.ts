import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page as Tab } from 'playwright-core';
import type { Snapshot } from '../../src/ops/inspector.js';
import { OperatorToken } from '../../src/ops/operator-token.js';
import { OpsServer } from '../../src/ops/ops-server.js';
import { metricsPage } from '../../src/ops/pages/metrics-page.js';
import { pinsPage } from '../../src/ops/pages/pins-page.js';
import { statusPages } from '../../src/ops/pages/status-page.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { aSnapshot } from '../support/snapshot.js';
import { launchBrowser, NO_BROWSER } from './web-user.js';

const skip = NO_BROWSER;
const folder = mkdtempSync(join(tmpdir(), 'rookery-operator-'));
const token = OperatorToken.load(folder, new SystemRandom());
const complaints: string[] = [];
let taken = 0;
let server: OpsServer;
let browser: Browser;

function snapshot(): Snapshot {
  taken++;
  return aSnapshot({
    uptimeMs: taken * 1000,
    threads: [{ name: '<b>writer</b>', state: 'silent', utilization: 0.5, heapUsedBytes: 1 }],
    connections: { open: 41, opened: 42, closed: 1, refused: 0 },
    chat: { sendAcks: taken * 250, deliveries: taken * 10 },
  });
}

before(async () => {
  if (skip !== false) return;
  server = await OpsServer.start({
    host: '127.0.0.1',
    port: 0,
    clock: new SystemClock(),
    token,
    pages: [
      ...statusPages(),
      metricsPage({ snapshot: () => Promise.resolve(snapshot()) }),
      pinsPage(() => [{ user: 15550100, pin: '482913', sentAt: 1, expiresAt: 2 }]),
    ],
    onError: (_path, error) => complaints.push(String(error)),
  });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

async function openTab(fragment: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Tab> {
  const tab = await browser.newPage({ colorScheme });
  tab.on('pageerror', (error) => complaints.push(error.message));
  tab.on('console', (message) => {
    // Chromium logs each 401 as an error; those are wanted.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  await tab.goto(`http://127.0.0.1:${server.port}/${fragment}`);
  return tab;
}

test('asks for the token, refuses a wrong one, takes the right one and keeps it', { skip }, async () => {
  const tab = await openTab('');
  await tab.fill('#token', 'wrong');
  await tab.click('#login button');
  await tab.waitForSelector('#refused:not([hidden])');
  assert.equal(await tab.isVisible('#status'), false);
  await tab.fill('#token', token.fresh!);
  await tab.click('#login button');
  await tab.waitForSelector('#status:not([hidden])');
  await tab.reload();
  await tab.waitForSelector('#status:not([hidden])');
  await tab.click('#forget');
  await tab.waitForSelector('#login:not([hidden])');
  await tab.reload();
  await tab.waitForSelector('#login:not([hidden])');
  await tab.close();
  assert.deepEqual(complaints, []);
});

test('the address from the log opens the page and leaves no token in the history', { skip }, async () => {
  for (const [fragment, scheme] of [
    [`#token=${token.fresh}`, 'light'],
    [`#${token.fresh}`, 'dark'],
  ] as const) {
    const tab = await openTab(fragment, scheme);
    await tab.waitForSelector('#status:not([hidden])');
    assert.equal(tab.url(), `http://127.0.0.1:${server.port}/`);
    await tab.getByText('482913').waitFor();
    await tab.getByText('41', { exact: false }).first().waitFor();
    // Rates come from differences: the second snapshot has one.
    await tab.getByText('250/s').first().waitFor();
    assert.equal(await tab.locator('#threads b').count(), 0, 'what comes from the server is text');
    await tab.getByText('<b>writer</b>').waitFor();
    await tab.close();
  }
  assert.deepEqual(complaints, []);
});
