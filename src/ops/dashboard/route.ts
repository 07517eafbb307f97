import { useEffect, useState } from 'preact/hooks';

/** Where the page is: `#/processes/<1.2.0>` has the path `processes` and the rest `<1.2.0>`. */
export interface Route {
  readonly path: string;
  readonly rest: string;
}

function current(): Route {
  const [path = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  return { path, rest: decoded(rest.join('/')) };
}

/** An address that somebody has typed may be no address. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function href(path: string, rest?: string): string {
  return `#/${path}${rest === undefined ? '' : `/${encodeURIComponent(rest)}`}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const changed = (): void => setRoute(current());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
