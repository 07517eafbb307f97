import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { TestServer } from '../support/test-server.js';

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** Why there is no end-to-end test here; false: there is one. */
export const NO_BROWSER = EXECUTABLE === undefined ? 'no Chromium on this machine' : false;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE!,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface WebUserOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A person at the web chat: a browser profile of their own, and what they do there. */
export class WebUser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of the page and its console, apart from the connection's comings and goings. */
  readonly complaints: string[] = [];
  readonly #server: TestServer;

  private constructor(context: BrowserContext, page: Page, server: TestServer) {
    this.context = context;
    this.page = page;
    this.#server = server;
    this.#watch(page);
  }

  static async open(browser: Browser, server: TestServer, options: WebUserOptions = {}): Promise<WebUser> {
    const context = await browser.newContext({
      viewport: options.viewport ?? { width: 1100, height: 720 },
      colorScheme: options.colorScheme ?? 'light',
      locale: 'en-GB',
    });
    const user = new WebUser(context, await context.newPage(), server);
    await user.page.goto(user.url);
    return user;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/`;
  }

  #watch(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/WebSocket|ERR_CONNECTION/.test(message.text())) {
        this.complaints.push(message.text());
      }
    });
  }

  /** Number, PIN, name; returns when the chat is there. */
  async register(phone: number, name: string): Promise<void> {
    const { page } = this;
    await page.getByLabel('Phone number').fill(`+${phone}`);
    await this.answerPin(phone, name, () => page.getByRole('button', { name: 'Send me a PIN' }).click());
  }

  async answerPin(phone: number, name: string, ask: () => Promise<void>): Promise<void> {
    const { page } = this;
    const line = this.#server.lines.all.length;
    await ask();
    const pin = await this.#server.pin(phone, line);
    await page.getByLabel('Your name').fill(name);
    await page.getByLabel('PIN').fill(pin);
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('navigation', { name: 'Conversations' }).waitFor();
  }

  /** Begins, or goes to, the conversation with a number. */
  async openConversation(phone: number): Promise<void> {
    const search = this.page.getByRole('searchbox');
    await search.fill(`+${phone}`);
    await search.press('Enter');
    await this.composer.waitFor();
  }

  get composer() {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The bubble with this text. */
  bubble(text: string) {
    return this.page.locator('.bubble', { has: this.page.getByText(text, { exact: true }) });
  }

  async untilText(text: string): Promise<void> {
    await this.bubble(text).waitFor();
  }

  /** What was said, in order. */
  texts(): Promise<string[]> {
    return this.page.locator('.bubble-body').allInnerTexts();
  }

  /** Waits until the checkmarks of a message say `status`. */
  async untilStatus(text: string, status: string): Promise<void> {
    await this.bubble(text).locator(`[data-status=${status}]`).waitFor();
  }

  /** Kept where ROOKERY_SCREENSHOTS says, for people to look at. */
  async screenshot(name: string): Promise<void> {
    const folder = process.env['ROOKERY_SCREENSHOTS'];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }
}
