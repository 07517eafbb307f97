import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { Collector, CollectorState } from './collector.js';
import { CollectorContext } from './context.js';
import { clockTime, duration } from './format.js';
import { Guarded } from './guarded.js';
import { Login } from './login.js';
import { PAGES } from './pages.js';
import { href, useRoute } from './route.js';
import { keepName, storedName } from './stored-name.js';

/** The frame around the pages: who this server is and how it is, the menu, the token. */
export function App(props: { readonly collector: Collector }) {
  const { collector } = props;
  const [, setRounds] = useState(0);
  const route = useRoute();
  useLayoutEffect(() => collector.watch(() => setRounds((count) => count + 1)), [collector]);

  const page = PAGES.find(({ path }) => path === route.path) ?? PAGES[0]!;
  const { state, snapshot } = collector;
  const alerts = collector.samples.figure({ group: 'alert', column: 'active' }) ?? 0;
  const isOpen = snapshot !== null && state !== 'login' && state !== 'refused';
  useEffect(() => {
    const count = isOpen && alerts > 0 ? `(${alerts}) ` : '';
    document.title = `${count}${isOpen ? page.title : 'Locked'} · Rookery`;
  }, [page, alerts, isOpen]);
  const latest = collector.samples.times().at(-1);

  return (
    <CollectorContext.Provider value={collector}>
      <header class="head">
        <h1>
          <a href="#/">
            <Mark />
            Rookery
          </a>
        </h1>
        <StatePill state={state} server={snapshot?.server.state ?? null} />
        {snapshot === null ? null : (
          <p class="identity quiet">
            up {duration(snapshot.uptimeMs)} · {snapshot.server.version} · Node {snapshot.server.node} · pid{' '}
            {snapshot.server.pid}
            {snapshot.server.development ? ' · development' : ''}
          </p>
        )}
        {isOpen ? <Name /> : null}
        {isOpen ? (
          <button id="forget" type="button" onClick={() => collector.logout()}>
            Forget token
          </button>
        ) : null}
      </header>
      {isOpen ? (
        <div id="status" class="frame">
          <nav aria-label="Pages">
            <ul>
              {PAGES.map(({ path, title }) => (
                <li key={path}>
                  <a href={href(path)} aria-current={path === page.path ? 'page' : undefined}>
                    {title}
                    {path === 'alerts' && alerts > 0 ? (
                      <span class="pill bad">
                        {alerts}
                        <span class="unseen"> active</span>
                      </span>
                    ) : null}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <main aria-label={page.title} class={state === 'lost' ? 'stale' : undefined}>
            {state === 'lost' ? (
              <p class="alert critical" role="alert">
                <span>
                  No answer: {collector.lostBecause}.{' '}
                  {latest === undefined ? '' : `What stands here is of ${clockTime(latest * 1000)}. `}
                  It is tried again each second.
                </span>
              </p>
            ) : null}
            <Guarded key={page.path} title={page.title}>
              <page.module rest={route.path === page.path ? route.rest : ''} />
            </Guarded>
          </main>
        </div>
      ) : state === 'login' || state === 'refused' ? (
        <Login isRefused={state === 'refused'} onToken={(token) => collector.login(token)} />
      ) : state === 'lost' ? (
        <p class="panel login" role="alert">
          No answer: {collector.lostBecause}. It is tried again each second.
        </p>
      ) : null}
    </CollectorContext.Provider>
  );
}

/** Who sits here: it stands in histories and in the audit log beside what he changes. */
function Name() {
  const [name, setName] = useState(storedName);
  return (
    <input
      class="name"
      aria-label="Your name, for the histories"
      placeholder="your name"
      title="It stands in the histories beside what you change."
      maxLength={40}
      autocomplete="username"
      value={name}
      onInput={(event) => {
        setName(event.currentTarget.value);
        keepName(event.currentTarget.value);
      }}
    />
  );
}

function StatePill(props: { readonly state: CollectorState; readonly server: string | null }) {
  const { state, server } = props;
  const text =
    state === 'lost'
      ? 'no answer'
      : state === 'live'
        ? (server ?? '…')
        : state === 'opening'
          ? '…'
          : 'locked';
  const isBad = state === 'lost' || (state === 'live' && server !== 'running');
  return (
    <span id="state" class={isBad ? 'pill bad' : 'pill'} role="status">
      {text}
    </span>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d="M8 1 3 6v8h3.5v-4h3v4H13V6z" />
    </svg>
  );
}
