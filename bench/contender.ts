/** What is compared: the six operations on one body with keys of one kind, each by several contenders. */

/** `seal` is sign and encrypt, `open` is decrypt and verify. */
export const operations = ['seal', 'open', 'sign', 'verify', 'encrypt', 'decrypt'] as const;
export type Operation = (typeof operations)[number];

/** Inputs are prepared beforehand: a call does one whole operation and throws when the result is wrong. */
export type Contender = Readonly<Partial<Record<Operation, () => unknown>>>;

export type BackendName = 'smime' | 'openpgp';

/** A kind of key in one backend. */
export interface Kind {
  readonly backend: BackendName;
  readonly key: 'rsa2048' | 'rsa3072' | 'p256' | 'ed25519';
  /** OpenPGP version 6 keys and SEIPD version 2. */
  readonly v6: boolean;
  readonly title: string;
}

const kind = (backend: BackendName, key: Kind['key'], title: string, v6 = false): Kind => ({ backend, key, v6, title });

export const kinds: readonly Kind[] = [
  kind('smime', 'rsa2048', 'S/MIME RSA-2048'),
  kind('smime', 'rsa3072', 'S/MIME RSA-3072'),
  kind('smime', 'p256', 'S/MIME P-256'),
  kind('smime', 'ed25519', 'S/MIME Curve25519'),
  kind('openpgp', 'rsa2048', 'OpenPGP RSA-2048'),
  kind('openpgp', 'rsa3072', 'OpenPGP RSA-3072'),
  kind('openpgp', 'p256', 'OpenPGP P-256'),
  kind('openpgp', 'ed25519', 'OpenPGP Curve25519 v4'),
  kind('openpgp', 'ed25519', 'OpenPGP Curve25519 v6', true),
];
