import { render } from 'preact';
import { App } from './app.js';
import { Chat } from './chat.js';
import { ChatDatabase } from './chat-database.js';
import { Notice } from './closed-notice.js';
import { SingleTab } from './single-tab.js';

/**
 * `?profile=name` keeps several people apart in one browser; `?server=wss://…/ws` speaks to another server (if
 * the page's security policy and that server allow it).
 */
const parameters = new URLSearchParams(location.search);
const profile = (parameters.get('profile') ?? 'main').replace(/[^\w-]/g, '').slice(0, 32) || 'main';
const url = parameters.get('server') ?? undefined;
const root = document.getElementById('root')!;

function show(view: preact.ComponentChild): void {
  // What was shown is taken off whole, so that nothing of it lives on.
  render(null, root);
  render(view, root);
}

const tab = new SingleTab(profile, yieldToAnotherTab);
let chat: Chat | null = null;

async function begin(): Promise<void> {
  const database = new ChatDatabase(profile);
  await database.open();
  // One browser may throw history away when its disk gets full: ask it not to.
  navigator.storage?.persist?.().catch(() => {});
  chat = await Chat.start(database, url);
  show(<App chat={chat} />);
}

async function yieldToAnotherTab(): Promise<void> {
  const closing = chat?.close();
  chat = null;
  showElsewhere();
  // What was said last must be written before the other tab reads.
  await closing;
}

/** Says so, and begins when the other tab is closed or lets go. */
function showElsewhere(): void {
  show(
    <Notice
      title="Open in another tab"
      text="Rookery is open in another tab or window of this browser. Only one of them can hold the connection."
      actions={[
        { text: 'Use it here', act: () => tab.ask() },
        {
          text: 'Register another number here',
          act: () => {
            const other = new URLSearchParams(location.search);
            other.set('profile', nextProfile());
            location.href = `${location.pathname}?${other}`;
          },
        },
      ]}
    />,
  );
  guard(tab.hold().then(begin));
}

function nextProfile(): string {
  const number = Number(/^p(\d+)$/.exec(profile)?.[1] ?? 1);
  return `p${number + 1}`;
}

function guard(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    show(
      <Notice
        title="This browser cannot keep messages"
        text={`Rookery needs the browser’s storage (IndexedDB), which is not available: ${error instanceof Error ? error.message : String(error)}. Some private windows have none.`}
        actions={[{ text: 'Try again', act: () => location.reload() }]}
      />,
    );
  });
}

guard(
  tab.tryHold().then((isOurs) => {
    if (isOurs) return begin();
    showElsewhere();
    return undefined;
  }),
);
