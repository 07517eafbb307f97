import type { Page } from '../page.js';

/**
 * `/metrics`: all figures in Prometheus' text format. Under any host name: with a token nobody can be tricked into asking, and
 * without one the operator wanted it open.
 */
export function prometheusPage(scrape: () => Promise<string>, access: 'token' | 'public'): Page {
  return {
    path: '/metrics',
    access,
    anyHost: true,
    reply: async () => ({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: await scrape(),
    }),
  };
}
