import { Groups } from '../../src/metrics/groups.js';
import { loadPlugins, PluginError } from '../../src/metrics/load-plugins.js';
import { osGroups } from '../../src/metrics/os/os-groups.js';
import type { GroupSource } from '../../src/metrics/reading.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { type Live, LiveMachine, LiveServer } from './live.js';
import type { CommonFlags } from './options.js';
import { ServerAway, ServerClient } from './server-client.js';
import { WsarError } from './wsar-error.js';

/** Who says what cannot be shown, once. */
export type Say = (text: string) => void;

/**
 * The server if there is one, or this machine's own groups. A server that was named must answer.
 *
 * @param isNamed whether somebody named the server himself.
 * @throws WsarError
 */
export async function openLive(flags: CommonFlags, isNamed: boolean, say: Say): Promise<Live> {
  const clock = new SystemClock();
  const own = new Groups({
    clock,
    startedAt: clock.now(),
    onFailure: (group, error) =>
      say(`no figures of ${group}: ${error instanceof Error ? error.message : String(error)}`),
  });
  const add = (source: GroupSource) => {
    try {
      own.add(source);
    } catch (error) {
      throw new WsarError((error as Error).message);
    }
  };
  const plugins = await pluginsOf(flags.plugin ?? []);
  const server = await serverOf(flags, isNamed, say);
  if (server === null) for (const source of osGroups(clock, null)) add(source);
  for (const source of plugins) add(source);
  return server === null ? new LiveMachine(own) : new LiveServer(server, own);
}

async function pluginsOf(files: readonly string[]): Promise<readonly GroupSource[]> {
  try {
    return await loadPlugins(files);
  } catch (error) {
    if (error instanceof PluginError) throw new WsarError(error.message);
    throw error;
  }
}

async function serverOf(flags: CommonFlags, isNamed: boolean, say: Say): Promise<ServerClient | null> {
  if (flags.local === true) return null;
  const alone = 'this machine alone is shown';
  if (flags.token === undefined) {
    const missing = '--token, or ROOKERY_OPERATOR_TOKEN, is wanted: the server printed it at its first start';
    if (isNamed) throw new WsarError(missing);
    say(`without a token no server can be asked (--token, ROOKERY_OPERATOR_TOKEN): ${alone}`);
    return null;
  }
  const server = new ServerClient(flags.operator, flags.token);
  try {
    await server.groups();
    return server;
  } catch (error) {
    if (!(error instanceof ServerAway)) throw error;
    if (isNamed) throw new WsarError(error.message);
    say(`${error.message}: ${alone}`);
    return null;
  }
}
