import { type Page, text } from '../page.js';

/** `/healthz` for probes: 200 while the server does its work, 503 while it starts or drains. */
export function healthPage(isHealthy: () => boolean): Page {
  return {
    path: '/healthz',
    access: 'public',
    anyHost: true,
    reply: () => (isHealthy() ? text('ok\n') : text('not serving\n', 503)),
  };
}
