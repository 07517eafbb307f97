import type { Inspector } from '../inspector.js';
import { json, type Page } from '../page.js';

/** `/metrics.json`: the snapshot as it is. */
export function metricsPage(inspector: Inspector): Page {
  return {
    path: '/metrics.json',
    access: 'token',
    reply: async () => json(await inspector.snapshot()),
  };
}
