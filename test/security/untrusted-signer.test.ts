/**
 * Certificates that name Juliet and that nobody Romeo trusts has issued. Whatever path leads to them, and however they
 * came, they speak for nobody until he files them.
 */
import { describe, expect, it } from 'vitest';
import { errorReply, Jid, parseErrorReply, rfc3923Policy, strictPolicy } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { serializePem } from '../../src/x509/pem.ts';
import { juliet, people } from '../people.ts';
import { cpim, refusal } from '../unit/e2e/scene.ts';
import { issue, type Issued } from '../unit/x509/support.ts';
import { certified, forged, named, openBy, stanzaOf, trusting } from './certified.ts';
import { crafted, openAs } from './crafted.ts';

interface Case {
  readonly leaf: Issued;
  readonly chain: readonly Issued[];
}

const cases: Readonly<Record<string, () => Promise<Case>>> = {
  'self-signed': async () => {
    const leaf = await issue({ subject: 'Juliet', extensions: named });
    return { leaf, chain: [] };
  },
  'by an unknown authority, its root in the message': async () => {
    const root = await issue({ subject: 'Mallory CA', ca: true });
    return { leaf: await issue({ subject: 'Juliet', issuer: root, extensions: named }), chain: [root] };
  },
  'by an authority with the name of the trusted one': async () => {
    const root = await issue({ subject: 'Root', ca: true });
    return { leaf: await issue({ subject: 'Juliet', issuer: root, extensions: named }), chain: [root] };
  },
  'cross-signed: the unknown authority has certified the trusted root': async () => {
    const { root } = await certified();
    const unknown = await issue({ subject: 'Mallory CA', ca: true });
    const crossed = await issue({ subject: 'Root', ca: true, issuer: unknown, keys: root.keys });
    return {
      leaf: await issue({ subject: 'Juliet', issuer: unknown, extensions: named }),
      chain: [crossed, unknown],
    };
  },
  'cross-signed: a certificate for the name of the trusted root with another key': async () => {
    const unknown = await issue({ subject: 'Mallory CA', ca: true });
    const crossed = await issue({ subject: 'Root', ca: true, issuer: unknown });
    return { leaf: await issue({ subject: 'Juliet', issuer: crossed, extensions: named }), chain: [crossed, unknown] };
  },
  'by a certificate of Juliet that may not issue': async () => {
    const { leaf: hers } = await certified();
    return { leaf: await issue({ subject: 'Juliet', issuer: hers, extensions: named }), chain: [hers] };
  },
};

describe('with S/MIME', () => {
  it('the certificate by the trusted authority opens', async () => {
    const { leaf, backend } = await certified();
    const { verdict } = await openBy(backend, stanzaOf(await forged(cpim(), { signer: leaf })));
    expect(verdict.sender).toMatchObject({ jid: juliet, trust: 'anchor' });
  });

  it.each(Object.entries(cases))('%s', async (_, build) => {
    const { backend, root } = await certified();
    const { leaf, chain } = await build();
    const certificates = [leaf, ...chain].map(({ certificate }) => certificate.der);
    const stanza = stanzaOf(await forged(cpim(), { signer: leaf }, { certificates }));
    // Nor does it help that the certificates were received before: received is not filed.
    const store = memoryStore();
    for (const one of [leaf, ...chain])
      store.addCandidate(Jid.parse(juliet), 'smime', serializePem('CERTIFICATE', one.certificate.der));
    for (const reader of [backend, trusting(store, root)]) {
      for (const policy of [strictPolicy, rfc3923Policy]) {
        const error = await refusal(openBy(reader, stanza, { policy }), 'ERR_E2E_SIGNER_UNTRUSTED', 'verify');
        const reply = errorReply(stanza, error, { knownContact: true });
        expect(parseErrorReply(reply!)).toBe('unverified-signature');
      }
    }
  });
});

describe('with OpenPGP', () => {
  it('a certificate that was received and not filed speaks for nobody', async () => {
    const { juliet: her, romeo: him } = await people('openpgp');
    const stanza = await crafted(her, him, cpim());
    expect((await openAs(him, stanza)).verdict.sender?.trust).toBe('pinned');
    const [filed] = await him.store.find(Jid.parse(juliet), 'openpgp');
    him.store.forget(Jid.parse(juliet), 'openpgp');
    try {
      him.store.addCandidate(Jid.parse(juliet), 'openpgp', filed!.certificates);
      for (const policy of [strictPolicy, rfc3923Policy])
        await expect(openAs(him, stanza, { policy })).rejects.toMatchObject({
          code: expect.stringMatching(/SIGNER_UNTRUSTED|SIGNER_UNKNOWN/) as string,
        });
    } finally {
      him.store.forget(Jid.parse(juliet), 'openpgp');
      him.store.fileCertificate(Jid.parse(juliet), 'openpgp', filed!.certificates);
    }
  });
});
