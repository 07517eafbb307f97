import { type Groups, UnknownGroup } from '../../metrics/groups.js';
import { json, type Page } from '../page.js';

/** Names in one request. */
const NAMES_MAX = 64;

/**
 * `GET /api/groups`: which groups of figures there are, with their columns: `{version: 1, groups: GroupDescription[]}`.
 * `GET /api/reading?groups=sched,msgq&since=81234.5`: a Reading of these groups, of all without the parameter; 404 for one that
 * there is not. `since` is the `uptimeMs` of the asker's reading before: peaks are the most since then; without it they are since
 * the reading before, whoever made it.
 */
export function readingPages(groups: Pick<Groups, 'describe' | 'read'>): readonly Page[] {
  return [
    {
      path: '/api/groups',
      access: 'token',
      reply: () => json({ version: 1, groups: groups.describe() }),
    },
    {
      path: '/api/reading',
      access: 'token',
      reply: async (query) => {
        const list = query.get('groups');
        const names = list === null ? undefined : list.split(',').filter((name) => name !== '');
        if (names !== undefined && (names.length === 0 || names.length > NAMES_MAX))
          return json({ error: `groups must be 1 to ${NAMES_MAX} names with commas between them` }, 400);
        const since = query.get('since');
        if (since !== null && !/^\d{1,15}(\.\d{1,20})?$/.test(since))
          return json({ error: `since must be the uptimeMs of a reading, not ${since.slice(0, 40)}` }, 400);
        try {
          return json(await groups.read(names, since === null ? undefined : Number(since)));
        } catch (error) {
          if (!(error instanceof UnknownGroup)) throw error;
          return json({ error: error.message }, 404);
        }
      },
    },
  ];
}
