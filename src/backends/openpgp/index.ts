/** The subpath `xmpp-e2e/openpgp`: the OpenPGP backend and what can be done with OpenPGP outside of stanzas. */

export { openpgp, type OpenpgpOptions } from './openpgp.ts';
export { openEntity, type OpenedEntity, type OpenEntityOptions, type OpenEntityPolicy } from './open-entity.ts';
export {
  generateIdentity,
  type GeneratedIdentity,
  type GenerateIdentityOptions,
  type IdentityAlgorithm,
} from './generate.ts';
export { describeCertificate } from './import.ts';
export type { UserIdForms } from '../../jid/user-id.ts';
export { exportKeys, type ExportKeysOptions } from './export.ts';
