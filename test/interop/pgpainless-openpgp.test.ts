/** PGPainless and openpgp, both ways. It always compresses. */
import { testPeer } from './openpgp-peer.ts';
import { sop } from './sop.ts';

testPeer('pgpainless-cli', 'version', () => sop('pgpainless-cli'));
