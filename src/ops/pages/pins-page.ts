import type { SentPin } from '../inspector.js';
import { json, type Page } from '../page.js';

/**
 * `/api/pins`: the PINs that were sent lately, newest first. Only for development: the composition root adds
 * this page with the log gateway or in development mode, never else.
 */
export function pinsPage(pins: () => readonly SentPin[]): Page {
  return { path: '/api/pins', access: 'token', reply: () => json({ pins: pins() }) };
}
