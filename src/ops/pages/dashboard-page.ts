import { type Page, text } from '../page.js';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * `/` with its script and style: a page that holds no secret. It asks for the token (or takes it from the address after
 * the `#`, which no server ever sees), keeps it in the browser, and draws what the other pages tell.
 *
 * @param files what the build made of `src/ops/dashboard`, by name; none: the page says that it was not built
 */
export function dashboardPages(files: ReadonlyMap<string, string>): readonly Page[] {
  if (!files.has('index.html')) {
    const reply = text("The operator's page has not been built: run npm run build.\n", 503);
    return [{ path: '/', access: 'public', reply: () => reply }];
  }
  return [...files].map(([name, body]) => {
    const contentType = CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (contentType === undefined) throw new RangeError(`the operator's page has a file of no kind: ${name}`);
    const reply = { status: 200, contentType, body };
    return { path: name === 'index.html' ? '/' : `/${name}`, access: 'public', reply: () => reply };
  });
}
