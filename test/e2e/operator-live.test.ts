/** The operator's page over a real server under load. With ROOKERY_SCREENSHOTS it stays until there is something to see. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { partitionOf } from '../../src/storage/partition-of.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { code, HANDLERS, succeeds } from '../support/code-operator.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';
import { launchBrowser, NO_BROWSER } from './web-user.js';

const pictures = process.env['ROOKERY_SCREENSHOTS'];
const seconds = Number(process.env['ROOKERY_SCREENSHOT_SECONDS'] ?? 90);

async function picture(tab: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await tab.screenshot({ path: join(pictures, `${name}.png`) });
}

describe('the operator’s page of a running server', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
  });

  test('shows what happens, page by page, without a complaint of the browser', async (t) => {
    const server = await TestServer.start(t, { settings: { schedulers: 2 } });
    const people = await registerMany(server, 16);
    const peers = people.map((user) => new ReliablePeer(server, user, { inFlightMax: 8, ackEvery: 4 }));
    atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));
    let turns = 0;
    // Waves, so that lines have a shape.
    const load = setInterval(() => {
      turns++;
      const wave = 1 + Math.round(3 * (1 + Math.sin(turns / 300)) + Math.random() * 2);
      for (const [index, peer] of peers.entries()) {
        for (let sent = 0; sent < wave && peer.pending < 40; sent++) {
          peer.send(people[(index + 1 + (turns % 7)) % people.length]!.user, `message ${turns}`);
        }
      }
    }, 25);
    atEnd(t, () => {
      clearInterval(load);
      return Promise.resolve();
    });
    for (const peer of peers) peer.run();

    const complaints: string[] = [];
    const open = async (colorScheme: 'light' | 'dark', width: number, height: number) => {
      const tab = await browser.newPage({ colorScheme, viewport: { width, height }, locale: 'en-GB' });
      tab.on('pageerror', (error) => complaints.push(error.message));
      tab.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('400')) complaints.push(message.text());
      });
      await tab.goto(`http://127.0.0.1:${server.operatorPort}/#${TestServer.token}`);
      await tab.waitForSelector('#status');
      return tab;
    };
    const light = await open('light', 1280, 900);
    const dark = await open('dark', 1280, 900);
    const phone = await open('dark', 390, 780);
    const accepted = light.locator('.tile', { hasText: 'Accepted' }).locator('dd');
    await until('messages are accepted', async () =>
      /^[1-9][\d,.]*\/s/.test((await accepted.textContent()) ?? ''),
    );
    await light.locator('.plot canvas').first().waitFor();
    if (pictures !== undefined) {
      const soon = new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      await soon;
    }
    for (const title of await light.locator('nav a').allInnerTexts()) {
      for (const [name, tab] of Object.entries({ light, dark, phone })) {
        await tab.getByRole('link', { name: title, exact: true }).click();
        await tab.locator(`main[aria-label="${title}"]`).waitFor();
        const shown = async () => ((await tab.locator('main').textContent()) ?? '').trim().length > 20;
        await until(`${title} shows something`, shown);
        // A round, so that what a page asks for itself has come.
        if (pictures !== undefined)
          await tab.waitForResponse(/reading/).then(() => tab.waitForResponse(/reading/));
        await picture(tab, `operator-${title.toLowerCase().replaceAll(' ', '-')}-${name}`);
      }
    }
    // Where the time goes is sampled when somebody asks for it.
    await light.getByRole('link', { name: 'Time', exact: true }).click();
    await light.getByRole('button', { name: 'Sample for 5 s' }).click();
    await light
      .getByRole('region', { name: 'Time by handler' })
      .getByRole('cell', { name: /^session\./ })
      .first()
      .waitFor();

    // From the top of a thread's tree to one process, and back.
    await light.getByRole('link', { name: 'Processes', exact: true }).click();
    await light.getByRole('button', { name: 'children of partitions' }).first().press('Enter');
    await light.getByRole('link', { name: /^partition-0\D/ }).click();
    await light.getByRole('heading', { name: 'partition-0' }).waitFor();
    await light.getByText('Started by').waitFor();
    // And the supervisor above it.
    await light.locator('.crumbs').getByRole('link', { name: 'partitions' }).click();
    await light.getByRole('heading', { name: /^partitions-\d$/ }).waitFor();
    await light.goBack();
    await light.goBack();
    await light.getByRole('heading', { name: 'Supervision tree' }).waitFor();

    // A partition is held: what comes for its users waits, and the alert says so on every page.
    const label = `partition-${partitionOf(people[0]!.user)}`;
    await light.getByLabel('Label, with').fill(label);
    await light.getByRole('button', { name: 'Find' }).click();
    await light
      .getByRole('region', { name: 'Processes found' })
      .getByRole('link', { name: new RegExp(`^${label}\\D`) })
      .click();
    // Its messages, for as long as somebody wants to see them.
    await light.getByRole('button', { name: 'Trace for 10 s' }).click();
    const traced = light.getByRole('region', { name: 'Messages traced' });
    await traced.getByRole('cell', { name: 'in', exact: true }).first().waitFor();
    await light.getByRole('button', { name: 'Suspend' }).click();
    await light.getByText(/^suspended/).waitFor();
    const address = light.url();
    await light.getByRole('link', { name: 'Overview', exact: true }).click();
    await light
      .getByRole('region', { name: 'Alerts', exact: true })
      .getByText(new RegExp(`${label} `))
      .first()
      .waitFor();
    await light.getByRole('link', { name: /^Alerts.*active$/ }).waitFor();
    if (pictures !== undefined) await light.waitForTimeout(10_000);
    for (const [name, tab] of Object.entries({ light, dark, phone })) {
      await tab.getByRole('link', { name: 'Overview', exact: true }).click();
      await tab.getByRole('region', { name: 'Alerts', exact: true }).waitFor();
      await picture(tab, `operator-alert-${name}`);
    }
    await dark.getByRole('link', { name: 'Processes', exact: true }).click();
    await dark.getByRole('heading', { name: 'Supervision tree' }).waitFor();
    if (pictures !== undefined) await dark.waitForTimeout(3000);
    await picture(dark, 'operator-top-dark');
    await light.getByRole('link', { name: /^Alerts/ }).click();
    await light
      .getByLabel(/^Comment on alert/)
      .first()
      .fill('I held it myself');
    await light.getByRole('button', { name: 'I look after it' }).first().click();
    await light.getByText('page looks after it').first().waitFor();
    await light
      .getByLabel(/^Silence alert/)
      .first()
      .selectOption('for 10 minutes');
    await light.locator('.alert').getByText('silenced').first().waitFor();
    await light.getByRole('button', { name: 'End it' }).first().click();
    await light.locator('.alert').getByText('silenced').first().waitFor({ state: 'detached' });
    await light.getByLabel('Rule, with').fill('disk-*');
    await light.getByRole('button', { name: 'Silence', exact: true }).click();
    await light.getByRole('region', { name: 'Silences' }).getByText('disk-*').waitFor();
    await picture(light, 'operator-alert-acknowledged');
    await light.goto(address);
    await picture(light, 'operator-process-light');
    await light.getByRole('button', { name: 'Resume' }).click();
    await light.getByText(/^resumed/).waitFor();
    await light.getByRole('link', { name: /^Alerts/ }).click();
    await light.getByText('No rule fires.').waitFor();
    await light
      .getByRole('region', { name: 'History of alerts' })
      .getByText(new RegExp(`${label} `))
      .first()
      .waitFor();

    // A knob is turned, and turned back.
    await light.getByRole('link', { name: 'Knobs', exact: true }).click();
    const knob = light.locator('form.knob', { hasText: 'sliceMessages' });
    await knob.getByRole('textbox').fill('0');
    await knob.getByRole('button', { name: 'Set' }).click();
    await knob.getByRole('alert').waitFor();
    await knob.getByRole('textbox').fill('32');
    await knob.getByRole('textbox').press('Enter');
    await knob.getByText('configured: 64').waitFor();
    await light.getByRole('region', { name: 'History of knobs' }).getByText('→ 32').waitFor();
    await picture(light, 'operator-knobs-light');
    await knob.getByRole('button', { name: 'Revert' }).click();
    await knob.getByText('configured: 64').waitFor({ state: 'detached' });
    const history = light.getByRole('region', { name: 'History of knobs' });
    await history.getByRole('button', { name: 'Back to here' }).first().click();
    await history.getByRole('button', { name: 'Really undo' }).click();
    await knob.getByText('configured: 64').waitFor();
    const mode = light.locator('form.knob', { hasText: 'gcMode' });
    await mode.getByRole('combobox').selectOption('spill');
    await mode.getByRole('button', { name: 'Set' }).click();
    await mode.getByText('configured: spill+defer').waitFor();

    // A release for some of the users, given up; one for all, gone back behind.
    const release = (...canary: string[]) =>
      succeeds(code(server, 'load', join(HANDLERS, 'server-info.ts'), '--no-types', ...canary));
    await light.getByRole('link', { name: 'Hot code', exact: true }).click();
    await release('--canary', '20%');
    const canaries = light.getByRole('region', { name: 'Canaries' });
    await canaries.getByRole('cell', { name: '20 %' }).waitFor();
    await light.getByText(/^On probation: release \d/).waitFor();
    await light.getByRole('button', { name: 'Withdraw' }).click();
    await light.getByRole('button', { name: 'Really give it up' }).click();
    await canaries.waitFor({ state: 'detached' });
    await release();
    await release();
    const releases = light.getByRole('region', { name: 'Releases' });
    await releases.getByRole('cell', { name: '4', exact: true }).waitFor();
    await releases.getByRole('button', { name: 'Back to here' }).first().click();
    await releases.getByRole('button', { name: 'Really undo' }).click();
    await releases.getByRole('cell', { name: 'rollback', exact: true }).waitFor();

    // All partitions of one scheduler go to the other.
    await light.getByRole('link', { name: 'Partitions', exact: true }).click();
    await light.getByLabel(/^What is to move/).fill('scheduler-2');
    await light.getByLabel('Where to').selectOption('scheduler-1');
    await light.getByRole('button', { name: 'Move' }).click();
    await light.getByText('32 moved').waitFor();
    assert.deepEqual(complaints, []);
  });
});
