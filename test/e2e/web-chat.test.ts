/** People at the web chat, in a real browser, over a real server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { freePorts } from '../support/free-ports.js';
import { TestServer } from '../support/test-server.js';
import { launchBrowser, NO_BROWSER, WebUser } from './web-user.js';

const ALICE = 491_700_000_001;
const BOB = 491_700_000_002;

describe('the web chat', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
  });

  test('two people chat: checkmarks turn, typing and presence show, a restart in the middle loses nothing', async (t) => {
    // The ports have to be the same after the restart: the page may speak to no other.
    const server = await TestServer.start(t, { settings: { schedulers: 2, homePort: await freePorts(2) } });
    const settings = { port: server.port };
    const alice = await WebUser.open(browser, server);
    await alice.screenshot('01-register');
    await alice.register(ALICE, 'Alice Example');
    await alice.screenshot('02-empty');
    const bob = await WebUser.open(browser, server, { colorScheme: 'dark' });
    await bob.register(BOB, 'Bob Rookson');

    await alice.openConversation(BOB);
    await alice.say('Hello Bob!');
    await alice.untilStatus('Hello Bob!', 'delivered');
    // Bob sees it in the list, and has not opened it: not read.
    const entry = bob.page.getByRole('button', { name: /Alice Example/ });
    await entry.getByText('Hello Bob!').waitFor();
    await bob.page.getByText('1 new messages').waitFor({ state: 'attached' });
    await bob.screenshot('03-unread-dark');
    await entry.click();
    await alice.untilStatus('Hello Bob!', 'read');

    await bob.composer.pressSequentially('Hi Al');
    await alice.page.getByTestId('peer-status').getByText('typing…').waitFor();
    await alice.screenshot('04-typing');
    await bob.say('Hi Alice, is this thing on?');
    await bob.untilStatus('Hi Alice, is this thing on?', 'read');
    await alice.page.getByTestId('peer-status').getByText('online').waitFor();
    await bob.say('<b>not bold</b> & <script>alert(1)</script>');
    await alice.bubble('<b>not bold</b> & <script>alert(1)</script>').waitFor();
    await bob.say('🎉');
    await bob.say(
      'A longer one, to see how a bubble breaks its lines when there is more to say than fits on a single line of the conversation.\nAnd a second paragraph.',
    );
    await alice.untilText('🎉');
    await alice.say('Looks good');
    await alice.untilStatus('Looks good', 'read');
    await alice.screenshot('05-conversation');
    await bob.screenshot('06-conversation-dark');

    // The power goes.
    await server.kill();
    await alice.page.getByRole('status').getByText('No connection.').waitFor();
    await alice.say('Sent while the server was away');
    await alice.untilStatus('Sent while the server was away', 'queued');
    await alice.screenshot('07-offline');
    await server.start(settings);
    await bob.untilText('Sent while the server was away');
    await alice.untilStatus('Sent while the server was away', 'read');
    await alice.screenshot('08-back');

    // Bob closes his browser window: last seen, and what is sent meanwhile waits for him.
    await bob.page.close();
    await alice.page
      .getByTestId('peer-status')
      .getByText(/last seen/)
      .waitFor();
    await alice.say('For later');
    await alice.untilStatus('For later', 'sent');
    await alice.screenshot('09-last-seen');

    assert.deepEqual(alice.complaints, []);
    assert.deepEqual(bob.complaints, []);
    await alice.context.close();
    await bob.context.close();
  });

  test('a reload keeps the history, the draft and the place; messages come once', async (t) => {
    const server = await TestServer.start(t);
    const alice = await WebUser.open(browser, server);
    await alice.register(ALICE, 'Alice');
    const bob = await WebUser.open(browser, server);
    await bob.register(BOB, 'Bob');
    await alice.openConversation(BOB);
    for (let i = 1; i <= 5; i++) await alice.say(`message ${i}`);
    await bob.openConversation(ALICE);
    await bob.untilText('message 5');
    await bob.composer.fill('half a thou');
    await alice.untilStatus('message 5', 'read');
    await bob.page.reload();
    await bob.untilText('message 5');
    assert.equal(await bob.composer.inputValue(), 'half a thou');
    assert.deepEqual(
      await bob.texts(),
      [1, 2, 3, 4, 5].map((i) => `message ${i}`),
    );
    await alice.page.reload();
    await alice.untilStatus('message 5', 'read');
    await alice.say('after the reload');
    await bob.untilText('after the reload');
    assert.equal((await bob.texts()).length, 6);
    assert.deepEqual([...alice.complaints, ...bob.complaints], []);
    await alice.context.close();
    await bob.context.close();
  });

  test('one tab holds the connection, another says so and can take it over', async (t) => {
    const server = await TestServer.start(t);
    const alice = await WebUser.open(browser, server);
    await alice.register(ALICE, 'Alice');
    const second = await alice.context.newPage();
    await second.goto(alice.url);
    await second.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    await second.getByRole('button', { name: 'Use it here' }).click();
    await second.getByRole('navigation', { name: 'Conversations' }).waitFor();
    await alice.page.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    await alice.screenshot('10-other-tab');
    // Of two that wait, the one that asks gets it.
    const third = await alice.context.newPage();
    await third.goto(alice.url);
    await third.getByRole('button', { name: 'Use it here' }).click();
    await third.getByRole('navigation', { name: 'Conversations' }).waitFor();
    await second.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    // Closing it is enough for one of the two that wait to go on; the other can take it over again.
    await third.close();
    const has = (page: Page): Promise<Page> =>
      page
        .getByRole('navigation', { name: 'Conversations' })
        .waitFor()
        .then(() => page);
    const holder = await Promise.any([has(alice.page), has(second)]);
    const other = holder === second ? alice.page : second;
    await other.getByRole('button', { name: 'Use it here' }).click();
    await has(other);
    await holder.getByRole('heading', { name: 'Open in another tab' }).waitFor();
    assert.deepEqual(alice.complaints, []);
    await alice.context.close();
  });

  test('a replaced device is told so, and can register again', async (t) => {
    const server = await TestServer.start(t);
    const phone = await WebUser.open(browser, server, { viewport: { width: 390, height: 780 } });
    await phone.screenshot('11-register-phone');
    await phone.register(ALICE, 'Alice');
    const other = await WebUser.open(browser, server);
    await other.register(ALICE, 'Alice');
    await phone.page.getByRole('heading', { name: 'Registered elsewhere' }).waitFor();
    await phone.screenshot('12-replaced');
    await phone.page.getByRole('button', { name: 'Register here again' }).click();
    await phone.answerPin(ALICE, 'Alice', () =>
      phone.page.getByRole('button', { name: 'Send me a PIN' }).click(),
    );
    await other.page.getByRole('heading', { name: 'Registered elsewhere' }).waitFor();
    assert.deepEqual([...phone.complaints, ...other.complaints], []);
    await phone.context.close();
    await other.context.close();
  });

  test('a message to nobody fails visibly, and a wrong PIN says how many tries are left', async (t) => {
    const server = await TestServer.start(t);
    const alice = await WebUser.open(browser, server, { viewport: { width: 390, height: 780 } });
    await alice.page.getByLabel('Phone number').fill('12');
    await alice.page.getByRole('button', { name: 'Send me a PIN' }).click();
    await alice.page.getByRole('alert').getByText('country code').waitFor();
    await alice.page.getByLabel('Phone number').fill(`+${ALICE}`);
    await alice.page.getByRole('button', { name: 'Send me a PIN' }).click();
    await alice.page.getByLabel('PIN').fill('00000');
    await alice.page.getByLabel('PIN').press('Enter');
    await alice.page.getByText(/tries left/).waitFor();
    await alice.screenshot('13-wrong-pin-phone');
    await alice.page.getByRole('button', { name: 'Change number' }).click();
    await alice.register(ALICE, 'Alice');
    await alice.openConversation(BOB);
    await alice.say('anybody there?');
    await alice.untilStatus('anybody there?', 'failed');
    await alice.page.getByText('Nobody is registered under this number.').waitFor();
    await alice.screenshot('14-failed-phone');
    await alice.page.getByRole('button', { name: 'Back to the conversations' }).click();
    await alice.screenshot('15-list-phone');
    assert.deepEqual(alice.complaints, []);
    await alice.context.close();
  });
});
