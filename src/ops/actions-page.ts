import type { Clock } from '../structures/clock.js';
import { type Action, ActionRefused, type Asker } from './action.js';
import { type AuditEntry, type AuditOutcome, withoutSecrets } from './audit-log.js';
import { json, type Page, type PostPage, type Reply } from './page.js';

/** What `GET /api/actions` tells of each action. */
export interface ActionDescription {
  readonly name: string;
  readonly description: string;
  readonly changes: boolean;
}

export interface ActionsOptions {
  readonly clock: Clock;
  /** Told of every action that changes something, when it has ended. */
  readonly audit: (entry: AuditEntry) => void;
}

/** @throws RangeError if two actions have the same name, or one is no name. */
export function actionPages(actions: readonly Action[], options: ActionsOptions): (Page | PostPage)[] {
  const names = new Set<string>();
  for (const { name } of actions) {
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
      throw new RangeError(`"${name}" is no name for an action`);
    if (names.has(name)) throw new RangeError(`there are two actions with the name ${name}`);
    names.add(name);
  }
  const descriptions: ActionDescription[] = actions
    .map(({ name, description, changes }) => ({ name, description, changes }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    { path: '/api/actions', access: 'token', reply: () => json({ actions: descriptions }) },
    ...actions.map(
      (action): PostPage => ({
        path: `/api/action/${action.name}`,
        access: 'token',
        post: (body, asker) => run(action, body, asker, options),
      }),
    ),
  ];
}

async function run(
  action: Action,
  params: Readonly<Record<string, unknown>>,
  asker: Asker,
  { clock, audit }: ActionsOptions,
): Promise<Reply> {
  const at = clock.wall();
  const begun = clock.now();
  const end = (outcome: AuditOutcome, error?: unknown) => {
    if (!action.changes) return;
    audit({
      at,
      action: action.name,
      asker,
      params: withoutSecrets(params, action.secret ?? []),
      outcome,
      ...(error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) }),
      tookMs: clock.now() - begun,
    });
  };
  try {
    const value = await action.run(params, asker);
    end('done');
    return json(value ?? {});
  } catch (error) {
    const isRefused = error instanceof ActionRefused;
    end(isRefused ? 'refused' : 'failed', error);
    if (!isRefused) throw error;
    return json({ error: error.message }, error.status);
  }
}
