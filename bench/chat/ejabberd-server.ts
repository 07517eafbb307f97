import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../measure/free-port.js';
import { outputLines } from './output-lines.js';
import type { ServerUnderTest } from './server-under-test.js';
import { XMPP_HOST, XMPP_PASSWORD } from './xmpp-client.js';

const START_MS_MAX = 60_000;

/** Where distributions and ejabberd's own packages put it. */
const FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/opt'];

/** The folder of ejabberd's compiled modules; null when it is not installed. */
export function ejabberdModules(): string | null {
  if (!existsSync('/usr/bin/erl')) return null;
  for (const folder of FOLDERS) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort().reverse()) {
      const modules = join(folder, name, 'ebin');
      if (/^ejabberd-\d/.test(name) && existsSync(join(modules, 'ejabberd.app'))) return modules;
    }
  }
  return null;
}

/**
 * Starts an ejabberd of its own: configuration, spool and log in a temporary folder, one listener on loopback,
 * no module but what a session needs, no distribution, and registers so many users. Bare routing between
 * sessions in memory is what is left.
 */
export async function startEjabberd(modules: string, users: number): Promise<ServerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'ejabberd-bench-'));
  await chmod(folder, 0o700);
  const port = await freePort();
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'ejabberd.yml'), configuration(port));
  const child = spawn(
    '/usr/bin/erl',
    [
      '+K',
      'true',
      '+P',
      '250000',
      '-noinput',
      '-pa',
      modules,
      '-mnesia',
      'dir',
      JSON.stringify(join(folder, 'spool')),
      '-s',
      'ejabberd',
      '-eval',
      registration(users),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        EJABBERD_CONFIG_PATH: join(folder, 'ejabberd.yml'),
        EJABBERD_LOG_PATH: join(folder, 'logs', 'ejabberd.log'),
        HOME: folder,
      },
    },
  );
  const said: string[] = [];
  const complain = (what: string) => new Error(`ejabberd ${what}. Its last words:\n${said.join('\n')}`);
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(complain('does not start')), START_MS_MAX);
    const heard = (line: string) => {
      if (said.push(line) > 30) said.shift();
      if (!line.includes('registered-all')) return;
      clearTimeout(late);
      resolve();
    };
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(complain(`ended with ${code}`));
    });
    outputLines(child.stdout, heard);
    outputLines(child.stderr, heard);
  }).catch(async (error: unknown) => {
    await end(child, folder);
    throw error;
  });
  return {
    name: 'ejabberd',
    pid: child.pid as number,
    port,
    inspectorPort: 0,
    stop: () => end(child, folder),
  };
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  child.removeAllListeners('exit');
  if (child.exitCode === null) {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
  await rm(folder, { recursive: true, force: true });
}

function configuration(port: number): string {
  return `
hosts:
  - ${XMPP_HOST}
loglevel: warning
certfiles: []
auth_method: internal
auth_password_format: plain
shaper: {}
listen:
  -
    port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: false
    access: all
modules: {}
`;
}

/** Erlang: waits for the application, registers the users, says so. */
function registration(users: number): string {
  return `
    Wait = fun Wait() -> case lists:keymember(ejabberd, 1, application:which_applications()) of
        true -> ok; false -> timer:sleep(100), Wait() end end,
    Wait(),
    lists:foreach(fun(I) ->
        ok = ejabberd_auth:try_register(<<"load", (integer_to_binary(I))/binary>>, <<"${XMPP_HOST}">>, <<"${XMPP_PASSWORD}">>)
      end, lists:seq(0, ${users - 1})),
    io:format("registered-all~n").`;
}
