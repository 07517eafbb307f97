import type { Page } from '../page.js';
import { STATUS_HTML } from './status-html.js';
import { STATUS_SCRIPT } from './status-script.js';
import { STATUS_STYLE } from './status-style.js';

/**
 * `/` with its script and style: an empty page that holds no secret. It asks for the token (or takes it from
 * the address after the `#`, which no server ever sees), keeps it in the browser, and shows what
 * `/metrics.json` says.
 */
export function statusPages(): readonly Page[] {
  return [
    asset('/', 'text/html; charset=utf-8', STATUS_HTML),
    asset('/operator.js', 'text/javascript; charset=utf-8', STATUS_SCRIPT),
    asset('/operator.css', 'text/css; charset=utf-8', STATUS_STYLE),
  ];
}

function asset(path: string, contentType: string, body: string): Page {
  const reply = { status: 200, contentType, body };
  return { path, access: 'public', reply: () => reply };
}
