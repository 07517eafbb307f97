import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page as Tab } from 'playwright-core';
import { buildDashboard } from '../../src/app/build-dashboard.js';
import { dashboardAssets } from '../../src/app/dashboard-assets.js';
import { counter, gauge } from '../../src/metrics/columns.js';
import type { GroupDescription, Reading } from '../../src/metrics/reading.js';
import { actionPages } from '../../src/ops/actions-page.js';
import type { Snapshot } from '../../src/ops/inspector.js';
import { OperatorToken } from '../../src/ops/operator-token.js';
import { OpsServer } from '../../src/ops/ops-server.js';
import { dashboardPages } from '../../src/ops/pages/dashboard-page.js';
import { metricsPage } from '../../src/ops/pages/metrics-page.js';
import { pinsPage } from '../../src/ops/pages/pins-page.js';
import { readingPages } from '../../src/ops/pages/reading-page.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { aSnapshot } from '../support/snapshot.js';
import { launchBrowser, NO_BROWSER } from './web-user.js';

const skip = NO_BROWSER;
const folder = mkdtempSync(join(tmpdir(), 'rookery-operator-'));
const token = OperatorToken.load(folder, new SystemRandom());
const complaints: string[] = [];
const clock = new SystemClock();
let taken = 0;
let readings = 0;
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

const groups: readonly GroupDescription[] = [
  {
    name: 'chat',
    version: 1,
    title: 'Chat',
    instance: null,
    columns: [counter('send_acks', '{message}', 'Stored.'), counter('deliveries', '{message}', 'Delivered.')],
  },
  {
    name: 'disk',
    version: 1,
    title: 'Disks',
    instance: 'device',
    columns: [gauge('free_bytes', 'By', 'Free.'), gauge('temperature', 'Cel', 'How hot.')],
  },
];

/** 250 messages accepted each second. */
function reading(): Reading {
  readings++;
  return {
    version: 1,
    at: 1_700_000_000_000 + readings * 1000,
    uptimeMs: readings * 1000,
    groups: {
      chat: [{ instance: '', figures: [readings * 250, readings * 10] }],
      disk: [{ instance: '<i>sda</i>', figures: [3 * 1024 ** 3, null] }],
    },
  };
}

before(async () => {
  if (skip !== false) return;
  await buildDashboard(join(folder, 'dashboard'));
  server = await OpsServer.start({
    host: '127.0.0.1',
    port: 0,
    clock,
    token,
    pages: [
      ...dashboardPages(dashboardAssets(join(folder, 'dashboard'))),
      ...readingPages({ describe: () => groups, read: () => Promise.resolve(reading()) }),
      ...actionPages([], { clock, audit: () => {} }),
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
    // Rates come from differences: the second reading has one.
    await tab.getByText('250/s').first().waitFor();
    assert.equal(await tab.locator('td b').count(), 0, 'what comes from the server is text');
    await tab.getByRole('cell', { name: '<b>writer</b>' }).waitFor();
    await tab.close();
  }
  assert.deepEqual(complaints, []);
});

test('all figures stand on one page; what cannot be had is n/a, and a column draws itself', {
  skip,
}, async () => {
  const tab = await openTab(`#${token.fresh}`);
  await tab.getByRole('link', { name: 'All figures' }).click();
  await tab.getByRole('cell', { name: '<i>sda</i>' }).waitFor();
  await tab.getByRole('cell', { name: '3.0 GiB' }).waitFor();
  await tab.getByRole('cell', { name: 'n/a' }).waitFor();
  await tab.getByRole('button', { name: 'Free' }).press('Enter');
  await tab.locator('.plot canvas').waitFor();
  assert.equal(new URL(tab.url()).hash, '#/figures');
  // The address names the page: a reload stays there, and is no token.
  await tab.reload();
  await tab.getByRole('cell', { name: '3.0 GiB' }).waitFor();
  await tab.close();
  assert.deepEqual(complaints, []);
});

test('nobody looks: nothing is asked for; somebody looks again: it goes on', { skip }, async () => {
  const tab = await browser.newPage();
  await tab.clock.install();
  await tab.goto(`http://127.0.0.1:${server.port}/#${token.fresh}`);
  const show = (state: 'visible' | 'hidden') =>
    tab.evaluate((value) => {
      const { document, Event } = globalThis as unknown as {
        document: { dispatchEvent(event: unknown): void };
        Event: new (name: string) => unknown;
      };
      Object.defineProperty(document, 'visibilityState', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await tab.waitForSelector('#status');
  let asked = 0;
  tab.on('request', () => asked++);
  const next = () => Promise.all([tab.waitForResponse(/api\/reading/), tab.clock.runFor(2000)]);
  await next();
  await next();
  assert.ok(asked > 0);
  await show('hidden');
  await tab.waitForLoadState('networkidle');
  asked = 0;
  await tab.clock.runFor(60_000);
  assert.equal(asked, 0);
  await Promise.all([tab.waitForResponse(/api\/reading/), show('visible')]);
  await next();
  await tab.close();
});

test('a token in the address of a page that is open is taken, and does not stay there', {
  skip,
}, async () => {
  const tab = await openTab('');
  await tab.waitForSelector('#login');
  await tab.evaluate(`location.hash = '#${token.fresh}'`);
  await tab.waitForSelector('#status');
  assert.equal(tab.url(), `http://127.0.0.1:${server.port}/`);
  await tab.close();
  assert.deepEqual(complaints, []);
});

test('tabs share the token: a new one opens those that are locked, and an old one does not take it away', {
  skip,
}, async () => {
  const context = await browser.newContext();
  const tab = async (fragment: string) => {
    const made = await context.newPage();
    await made.goto(`http://127.0.0.1:${server.port}/${fragment}`);
    return made;
  };
  const locked = await tab('');
  await locked.waitForSelector('#login');
  // One that was opened with the token of before, and has not been told yet that it is none any more.
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stale = await context.newPage();
  await stale.route('**/api/**', async (route) => {
    await released;
    await route.continue();
  });
  await stale.goto(`http://127.0.0.1:${server.port}/#of-before`);
  const fresh = await tab(`#${token.fresh}`);
  await fresh.waitForSelector('#status');
  await locked.waitForSelector('#status');
  release();
  await stale.waitForSelector('#status');
  const kept = await fresh.evaluate("localStorage.getItem('rookery-operator-token')");
  assert.equal(kept, token.fresh);
  await fresh.click('#forget');
  await locked.waitForSelector('#login');
  await stale.waitForSelector('#login');
  await context.close();
});

test('a server that does not answer: since when, and why, over what was known last', { skip }, async () => {
  const tab = await openTab(`#${token.fresh}`);
  await tab.waitForSelector('#status');
  await tab.route('**/metrics.json', (route) => route.abort());
  await tab.getByRole('alert').getByText('nobody answers at this address').waitFor();
  await tab.getByText(/What stands here is of \d\d:\d\d:\d\d/).waitFor();
  await tab.unroute('**/metrics.json');
  await tab.route('**/metrics.json', (route) =>
    route.fulfill({ status: 500, json: { error: 'the reading threw' } }),
  );
  await tab.getByRole('alert').getByText('the reading threw').waitFor();
  await tab.unroute('**/metrics.json');
  await tab.getByRole('alert').waitFor({ state: 'detached' });
  await tab.close();
  complaints.length = 0;
});

test('a page that cannot be drawn says so, and the others go on', { skip }, async () => {
  const tab = await openTab('');
  // Answers of another version of the server.
  await tab.route('**/api/actions', (route) => route.fulfill({ json: { actions: [{ name: 'alerts' }] } }));
  await tab.route('**/api/action/alerts', (route) => route.fulfill({ json: { active: [] } }));
  await tab.evaluate(`location.hash = '#${token.fresh}'`);
  await tab.waitForSelector('#status');
  await tab.getByRole('link', { name: 'Alerts' }).click();
  await tab.getByRole('alert').getByText('This page cannot be drawn').waitFor();
  await tab.getByRole('button', { name: 'Try again' }).click();
  await tab.getByRole('alert').getByText('This page cannot be drawn').waitFor();
  await tab.getByRole('link', { name: 'All figures' }).click();
  await tab.getByRole('cell', { name: '3.0 GiB' }).waitFor();
  await tab.close();
  assert.deepEqual(complaints, []);
});

test('on a phone nothing is wider than the screen', { skip }, async () => {
  const tab = await browser.newPage({ viewport: { width: 360, height: 740 } });
  await tab.goto(`http://127.0.0.1:${server.port}/#${token.fresh}`);
  for (const name of ['All figures', 'Overview']) {
    await tab.getByRole('link', { name }).click();
    await tab.getByRole('link', { name, exact: true }).and(tab.locator('[aria-current=page]')).waitFor();
    const width = await tab.evaluate('document.documentElement.scrollWidth');
    assert.equal(width, 360, name);
  }
  await tab.close();
});
