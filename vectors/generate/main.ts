/** Writes all vector files. Keys and messages are new each time; expectations are written by hand. */
import { hasKontalkPeer } from '../../test/interop/kontalk/peer.ts';
import { addresses, instants, payloads, xml } from './formats.ts';
import { openpgpSuite } from './openpgp.ts';
import { openpgpCast, smimeCast } from './people.ts';
import { sealingSuite, securitySuite } from './security.ts';
import { writeSuite } from './suite.ts';

for (const suite of [addresses, instants, xml, payloads]) writeSuite(suite);

const p256 = await smimeCast('p256');
writeSuite(sealingSuite(p256));
writeSuite(
  await securitySuite(p256, 'S/MIME with ECDSA and ECDH on P-256, AES-256-GCM, self-signed certificates on file.'),
);
writeSuite(await securitySuite(await smimeCast('rsa2048'), 'S/MIME with RSA-2048 and OAEP.'));
writeSuite(await securitySuite(await smimeCast('ed25519'), 'S/MIME with Ed25519 and X25519.'));
writeSuite(
  await securitySuite(await openpgpCast('ed25519'), 'OpenPGP version 4 with the older Ed25519 and Curve25519.'),
);
writeSuite(await openpgpSuite());
await import('./x509-main.ts');
// The peer needs Java and Bouncy Castle.
if (hasKontalkPeer()) await import('./kontalk-main.ts');
