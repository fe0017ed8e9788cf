/** Prosody, started for a test. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerKind } from './stage.ts';
import { folderIn, startServer, type XmppServer } from './xmpp-server.ts';

/** Starts Prosody with accounts. */
function startProsodyWith(accounts: readonly string[], archive: boolean): Promise<XmppServer> {
  return startServer('prosody', accounts, ({ folder, ports }) => {
    const data = folderIn(folder, 'data/localhost/accounts');
    for (const name of accounts) writeFileSync(join(data, `${name}.dat`), `return { ["password"] = "${name}pw"; };\n`);
    // With mod_mam, Prosody keeps no offline copies.
    const modules = [
      'roster',
      'saslauth',
      'tls',
      'disco',
      'carbons',
      'smacks',
      'ping',
      'websocket',
      'blocklist',
      'pep',
    ];
    // By default a stream with more than 500 stanzas under way is not resumed: a slow machine may have more.
    const config = join(folder, 'prosody.cfg.lua');
    writeFileSync(
      config,
      `run_as_root = true
data_path = "${folder}/data"
certificates = "${folder}"
interfaces = { "127.0.0.1" }
c2s_ports = { ${ports.starttls} }
c2s_direct_tls_ports = { ${ports.tls} }
c2s_require_encryption = true
s2s_ports = { }
s2s_direct_tls_ports = { }
http_ports = { }
https_ports = { ${ports.https} }
https_interfaces = { "127.0.0.1" }
component_ports = { ${ports.component} }
component_interfaces = { "127.0.0.1" }
modules_enabled = { ${[...modules, archive ? 'mam' : 'offline'].map((name) => `"${name}"`).join('; ')} }
modules_disabled = { "s2s" }
authentication = "internal_hashed"
default_iteration_count = 4096
default_archive_policy = true
smacks_max_queue_size = 5000
log = { { levels = { min = "info" }; to = "console" } }
VirtualHost "localhost"
Component "muc.localhost" "muc"
  muc_room_locking = false
Component "bridge.localhost"
  component_secret = "bridgepw"
`,
    );
    return { file: 'prosody', args: ['--config', config, '-F'] };
  });
}

/** Prosody with an archive (XEP-0313). */
export const prosody: ServerKind = {
  name: 'Prosody',
  program: 'prosodyctl',
  start: (accounts) => startProsodyWith(accounts, true),
};

/** Prosody that keeps what comes while a recipient is away, which it does not with an archive. */
export const prosodyOffline: ServerKind = { ...prosody, start: (accounts) => startProsodyWith(accounts, false) };
