import type { RequestHandler } from '../handler-table.js';
import { blockAdd } from './block-add.js';
import { blockList } from './block-list.js';
import { blockRemove } from './block-remove.js';
import { profileGet } from './profile-get.js';
import { profileSet } from './profile-set.js';
import { serverInfo } from './server-info.js';
import { usersLookup } from './users-lookup.js';

/** Every request that a client may make. */
export const requestHandlers: readonly RequestHandler[] = [
  blockAdd,
  blockList,
  blockRemove,
  profileGet,
  profileSet,
  serverInfo,
  usersLookup,
];
