import {
  type Contract,
  ContractBroken,
  functions,
  type HotBehaviour,
  type ModuleSlot,
  type ModuleTable,
} from '../hot-code/index.js';
import * as blockAdd from './handlers/block-add.js';
import * as blockList from './handlers/block-list.js';
import * as blockRemove from './handlers/block-remove.js';
import * as partition from './handlers/partition.js';
import * as profileGet from './handlers/profile-get.js';
import * as profileSet from './handlers/profile-set.js';
import * as serverInfo from './handlers/server-info.js';
import * as session from './handlers/session.js';
import * as usersLookup from './handlers/users-lookup.js';
import type { PartitionMessage, SessionMessage } from './messages.js';
import { copyPartitionState, type PartitionState } from './partition-state.js';
import type { RequestHandler } from './request-handler.js';
import { copySessionState, type SessionState } from './session-state.js';

/** Every request that a client may make: the modules of handlers/ by the names of their files. */
const REQUESTS: Readonly<Record<string, RequestHandler>> = {
  'block-add': blockAdd,
  'block-list': blockList,
  'block-remove': blockRemove,
  'profile-get': profileGet,
  'profile-set': profileSet,
  'server-info': serverInfo,
  'users-lookup': usersLookup,
};

/** What the module `session` exports. */
export interface SessionModule extends HotBehaviour<SessionState, SessionMessage> {
  /** A connection has come. */
  opened(state: SessionState): void;
}

export type PartitionModule = HotBehaviour<PartitionState, PartitionMessage>;

/** The modules of the chat that can be changed while it runs. */
export interface ChatModules {
  readonly session: ModuleSlot<SessionModule>;
  readonly partition: ModuleSlot<PartitionModule>;
  /** By the method's name on the wire. */
  readonly requests: ReadonlyMap<string, ModuleSlot<RequestHandler>>;
}

/** Takes them into the table of a thread. */
export function defineChatModules(table: ModuleTable): ChatModules {
  const requests = new Map<string, ModuleSlot<RequestHandler>>();
  for (const [name, handler] of Object.entries(REQUESTS)) {
    if (requests.has(handler.method)) throw new Error(`two handlers for ${handler.method}`);
    requests.set(handler.method, table.define(requestContract(name, handler.method), handler));
  }
  return {
    session: table.define<SessionModule>(
      {
        ...functions<SessionModule>('session', ['opened', 'receive'], ['init', 'terminate', 'codeChange']),
        copyState: copySessionState,
      },
      session,
    ),
    partition: table.define(
      {
        ...functions<PartitionModule>('partition', ['receive'], ['init', 'terminate', 'codeChange']),
        copyState: copyPartitionState,
      },
      partition,
    ),
    requests,
  };
}

function requestContract(name: string, method: string): Contract<RequestHandler> {
  const { take } = functions<RequestHandler>(name, ['handle'], ['stored']);
  return {
    name,
    take(exported) {
      const handler = take(exported);
      if (handler.method !== method)
        throw new ContractBroken(
          `${name} must export method = '${method}', not ${JSON.stringify(handler.method)}`,
        );
      return handler;
    },
  };
}
