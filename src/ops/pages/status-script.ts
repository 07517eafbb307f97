/** Runs in the browser. Builds everything with textContent: nothing that comes from the server is markup. */
export const STATUS_SCRIPT = `'use strict';
const byId = (id) => document.getElementById(id);
const KEY = 'rookery-operator-token';
const POINTS = 120;
let token = localStorage.getItem(KEY) || '';
let last = null;
let pinsMissing = false;
const rates = [];

// The token may come in the address after the '#', as the log prints it; it must not stay in the history.
const fragment = location.hash.slice(1).replace(/^token=/, '');
if (fragment) {
  token = fragment;
  history.replaceState(null, '', location.pathname);
}

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const number = (value) => (value < 100000 ? whole.format(Math.round(value)) : short.format(value));
const bytes = (value) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit++; }
  return (value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)) + ' ' + units[unit];
};
const duration = (ms) => {
  const s = Math.floor(ms / 1000), d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
  if (d > 0) return d + ' d ' + h + ' h';
  if (h > 0) return h + ' h ' + m + ' min';
  return m > 0 ? m + ' min ' + (s % 60) + ' s' : s + ' s';
};
const time = (ms) => new Date(ms).toLocaleTimeString();
const node = (name, text, className) => {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};
const fill = (id, rows) => byId(id).replaceChildren(...rows.map((cells) => {
  const row = document.createElement('tr');
  row.append(...cells.map((cell) => (typeof cell === 'string' ? node('td', cell) : cell)));
  return row;
}));

function state(text, bad) {
  byId('state').textContent = text;
  byId('state').classList.toggle('bad', bad);
}

function login(refused) {
  byId('status').hidden = true;
  byId('forget').hidden = true;
  byId('login').hidden = false;
  byId('refused').hidden = !refused;
  byId('token').focus();
}

async function get(path) {
  return fetch(path, { headers: { authorization: 'Bearer ' + token }, signal: AbortSignal.timeout(5000) });
}

function rateOf(now, name) {
  if (!last || last.server.pid !== now.server.pid) return 0;
  const seconds = (now.uptimeMs - last.uptimeMs) / 1000;
  return seconds > 0 ? Math.max(0, ((now.chat[name] || 0) - (last.chat[name] || 0)) / seconds) : 0;
}

// What was forwarded since the last look.
function locality(now) {
  if (!last || last.server.pid !== now.server.pid) return now.locality;
  return { local: now.locality.local - last.locality.local, remote: now.locality.remote - last.locality.remote };
}

function share({ local, remote }) {
  return local + remote > 0 ? Math.round((local / (local + remote)) * 100) + ' %' : '–';
}

function card(name, value, note) {
  const list = node('dl', '', 'card');
  list.style.margin = 0;
  const detail = node('dd', value);
  detail.append(node('small', note || ''));
  list.append(node('dt', name), detail);
  return list;
}

function draw() {
  const top = Math.max(1, ...rates.flatMap((rate) => [rate.accepted, rate.delivered]));
  const path = (name) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    element.setAttribute('class', name);
    element.setAttribute('d', rates.map((rate, i) => (i ? 'L' : 'M') +
      (600 - (rates.length - 1 - i) * (600 / (POINTS - 1))).toFixed(1) + ' ' + (118 - (rate[name] / top) * 114).toFixed(1)).join(''));
    return element;
  };
  byId('chart').replaceChildren(path('delivered'), path('accepted'));
  byId('chart-max').textContent = 'highest ' + number(top) + '/s';
}

function show(now) {
  const { server, connections, sessions, mailboxes, store } = now;
  byId('login').hidden = true;
  byId('status').hidden = false;
  byId('forget').hidden = false;
  state(server.state, server.state !== 'running');
  byId('identity').textContent = server.name + ' ' + server.version + ' · Node ' + server.node + ' · pid ' + server.pid +
    ' · epoch ' + server.epoch + (server.development ? ' · development' : '');
  const accepted = rateOf(now, 'sendAcks'), delivered = rateOf(now, 'deliveries');
  const commits = last && last.server.pid === server.pid ? (store.commits - last.store.commits) / Math.max(.001, (now.uptimeMs - last.uptimeMs) / 1000) : 0;
  byId('cards').replaceChildren(
    card('Up for', duration(now.uptimeMs)),
    card('Connections', number(connections.open), number(connections.opened) + ' since the start' + (connections.refused ? ', ' + number(connections.refused) + ' refused' : '')),
    card('Sessions online', number(sessions.online), number(sessions.running) + ' running, ' + number(sessions.atHome) + ' at home'),
    card('Stayed on their scheduler', share(locality(now)), 'of new messages; ' + share(now.locality) + ' in all'),
    card('Accepted', number(accepted) + '/s', number(now.chat.sendAcks || 0) + ' in all'),
    card('Delivered', number(delivered) + '/s', number(now.chat.deliveries || 0) + ' in all'),
    card('In mailboxes', number(mailboxes.waiting), 'longest ' + number(mailboxes.longest) + ', of ' + number(mailboxes.processes) + ' processes'),
    card('Commits', number(commits) + '/s', store.failures ? number(store.failures) + ' failed' : number(store.commands) + ' commands, longest ' + number(store.batchMsMax) + ' ms'),
    card('Waiting on disk', bytes(store.youngBytes), 'WAL ' + bytes(store.walBytes) + ', ring ' + bytes(store.queuedBytes)),
    card('Memory', bytes(now.memory.residentBytes), 'resident'),
  );
  fill('threads', now.threads.map((thread) => [thread.name, node('td', thread.state, thread.state === 'running' ? '' : 'bad'),
    Math.round(thread.utilization * 100) + ' %', bytes(thread.heapUsedBytes),
    thread.partitions === undefined ? '' : number(thread.partitions), thread.connections === undefined ? '' : number(thread.connections)]));
  fill('counters', Object.keys(now.chat).map((name) => [name, number(now.chat[name]), number(rateOf(now, name))]));
  if (last && last.server.pid === server.pid) {
    rates.push({ accepted, delivered });
    if (rates.length > POINTS) rates.shift();
    draw();
  }
  last = now;
}

async function pins() {
  if (pinsMissing) return;
  const answer = await get('/api/pins');
  if (answer.status === 404) { pinsMissing = true; return; }
  if (!answer.ok) return;
  const list = (await answer.json()).pins;
  byId('pins-section').hidden = false;
  fill('pins', list.slice(0, 20).map((pin) => ['+' + pin.user, node('td', pin.pin, 'pin'), time(pin.sentAt), time(pin.expiresAt)]));
  if (list.length === 0) fill('pins', [['none in the last minutes', '', '', '']]);
}

let timer = 0;
async function tick() {
  clearTimeout(timer);
  if (!token) return login(false);
  try {
    const answer = await get('/metrics.json');
    if (answer.status === 401) {
      localStorage.removeItem(KEY);
      token = '';
      return login(true);
    }
    if (!answer.ok) throw new Error('status ' + answer.status);
    const now = await answer.json();
    localStorage.setItem(KEY, token);
    show(now);
    await pins();
  } catch {
    state('no answer', true);
  }
  // Nobody looks: nothing is asked for.
  if (!document.hidden) timer = setTimeout(tick, 1000);
}

byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = byId('token').value.trim();
  byId('token').value = '';
  tick();
});
byId('forget').addEventListener('click', () => {
  localStorage.removeItem(KEY);
  token = '';
  tick();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) tick(); });
tick();
`;
