/** Path validation as others call it: without XMPP, limits or primitives of their own. */
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { certificateNames, parseCertificate, parseCrl, validatePath } from '../../../src/backends/smime/index.ts';
import { limitsWith } from '../../../src/limits.ts';
import { serializeGeneralNames } from '../../../src/x509/general-names.ts';
import { issue, issueCrl, type Issued, now, serializeExtension } from '../x509/support.ts';

let root: Issued;
let ca: Issued;
let leaf: Issued;

beforeAll(async () => {
  root = await issue({ subject: 'Root', ca: true });
  ca = await issue({ subject: 'CA', issuer: root, ca: true });
  const names = serializeGeneralNames([
    { form: 'xmppAddr', text: 'juliet@capulet.example' },
    { form: 'uniformResourceIdentifier', text: 'im:juliet@capulet.example' },
    { form: 'rfc822Name', text: 'Juliet@capulet.example' },
    { form: 'xmppAddr', text: 'JULIET@capulet.example' },
  ]);
  leaf = await issue({
    subject: 'juliet',
    issuer: ca,
    extensions: [serializeExtension(oids.subjectAltName, false, names)],
  });
});

const question = () => ({
  certificate: parseCertificate(leaf.certificate.der),
  intermediates: [parseCertificate(ca.certificate.der)],
  anchors: [parseCertificate(root.certificate.der)],
  at: now,
  purpose: 'sign' as const,
});

describe('validatePath', () => {
  it('names the chain, the reason and the certificate at fault', async () => {
    const good = await validatePath(question());
    expect(good).toMatchObject({ outcome: 'trusted', trust: 'anchor', failing: undefined });
    expect(good.chain.map(({ subject }) => subject.text)).toEqual(['CN=juliet', 'CN=CA', 'CN=Root']);
    const list = await issueCrl({ issuer: root, revoked: [{ serial: ca.certificate.serial }] });
    const bad = await validatePath({ ...question(), crls: [parseCrl(list.der)] });
    expect(bad).toMatchObject({ outcome: 'revoked', reason: 'certificate is revoked', trust: undefined });
    expect(bad.failing?.subject.text).toBe('CN=CA');
  });

  it('believes nobody by default', async () => {
    const { outcome, chain } = await validatePath({ ...question(), anchors: [] });
    expect([outcome, chain.length]).toEqual(['untrusted', 1]);
  });

  it('takes limits', async () => {
    const lower = await issue({ subject: 'Lower', issuer: ca, ca: true });
    const below = await issue({ subject: 'romeo', issuer: lower });
    const deep = {
      ...question(),
      certificate: below.certificate,
      intermediates: [lower.certificate, ca.certificate],
    };
    expect((await validatePath(deep)).outcome).toBe('trusted');
    const short = await validatePath({ ...deep, limits: limitsWith({ pathLength: 1 }) });
    expect([short.outcome, short.reason]).toEqual(['untrusted', 'the path is too long']);
  });

  it('refuses wrong arguments', async () => {
    await expect(validatePath({ ...question(), at: new Date(Number.NaN) })).rejects.toThrow(TypeError);
    await expect(validatePath({ ...question(), at: '2026-06-01' as unknown as Date })).rejects.toThrow(TypeError);
    const misspelled = { ...question(), anchorz: [] };
    await expect(validatePath(misspelled)).rejects.toThrow(new TypeError('unknown option anchorz'));
  });
});

describe('certificateNames', () => {
  it('gives enforced bare JIDs once, and mail addresses as written', () => {
    expect(certificateNames(leaf.certificate)).toEqual({
      emails: ['Juliet@capulet.example'],
      jids: ['juliet@capulet.example'],
      subject: 'CN=juliet',
    });
    expect(certificateNames(root.certificate)).toEqual({ emails: [], jids: [], subject: 'CN=Root' });
  });
});
