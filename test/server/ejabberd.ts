/** ejabberd, started for a test without its control script: one node, no epmd, nothing outside its folder. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerKind } from './stage.ts';
import { folderIn, startServer, type XmppServer } from './xmpp-server.ts';

/** Starts ejabberd with accounts. */
function startEjabberd(accounts: readonly string[]): Promise<XmppServer> {
  return startServer(
    'ejabberd',
    accounts,
    ({ folder, ports }) => {
      const config = join(folder, 'ejabberd.yml');
      const listener = `ip: "127.0.0.1", max_stanza_size: 262144`;
      writeFileSync(
        config,
        `hosts: [localhost]
loglevel: warning
certfiles: ["${folder}/localhost.pem"]
ca_file: "${folder}/ca.crt"
auth_method: internal
auth_password_format: scram
listen:
  - {port: ${ports.starttls}, ${listener}, module: ejabberd_c2s, starttls_required: true}
  - {port: ${ports.tls}, ${listener}, module: ejabberd_c2s, tls: true}
  - {port: ${ports.https}, ip: "127.0.0.1", module: ejabberd_http, tls: true, request_handlers: {"/xmpp-websocket": ejabberd_http_ws}}
  - {port: ${ports.component}, ip: "127.0.0.1", module: ejabberd_service, hosts: {"bridge.localhost": {password: "bridgepw"}}}
modules:
  mod_carboncopy: {}
  mod_disco: {}
  mod_mam: {default: always}
  mod_muc: {host: muc.localhost}
  mod_offline: {}
  mod_ping: {}
  mod_roster: {}
  mod_stream_mgmt: {resend_on_timeout: true}
`,
      );
      const database = folderIn(folder, 'db');
      const register = accounts.map((name) => `{<<"${name}">>, <<"${name}pw">>}`).join(', ');
      const script = `spawn(fun() ->
        Each = fun Each(_, []) -> io:format("accounts ready~n"); Each(N, [{User, Password} | Rest]) ->
          case catch ejabberd_admin:register(User, <<"localhost">>, Password) of
            {ok, _} -> Each(N, Rest);
            _ when N > 0 -> timer:sleep(50), Each(N - 1, [{User, Password} | Rest]);
            Why -> io:format("no account: ~p~n", [Why]) end end,
        Each(400, [${register}]) end).`;
      return {
        file: 'erl',
        // Erlang makes a table for as many ports as there may be open files: a billion in some containers.
        args: ['+Q', '4096', '-noinput', '-mnesia', 'dir', `"${database}"`, '-s', 'ejabberd', '-eval', script],
        env: {
          ERL_LIBS: libraries(),
          EJABBERD_CONFIG_PATH: config,
          EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
          SPOOL_DIR: database,
          CONTENT_PATH: folder,
        },
      };
    },
    (log) => log.includes('accounts ready'),
  );
}

/** ejabberd with an archive (XEP-0313). */
export const ejabberd: ServerKind = { name: 'ejabberd', program: 'ejabberdctl', start: startEjabberd };

/** Where Debian keeps ejabberd's own code: a folder named after the architecture. */
function libraries(): string {
  const folders = readdirSync('/usr/lib').map((name) => join('/usr/lib', name));
  const found = folders.find((folder) => folder.endsWith('-linux-gnu') && holdsEjabberd(folder));
  return found ?? '/usr/lib';
}

function holdsEjabberd(folder: string): boolean {
  return readdirSync(folder).some((name) => name.startsWith('ejabberd-'));
}
