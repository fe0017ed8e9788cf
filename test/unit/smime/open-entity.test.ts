import { beforeAll, describe, expect, it } from 'vitest';
import { openEntity, type OpenEntityOptions } from '../../../src/backends/smime/index.ts';
import { base64Decode, utf8 } from '../../../src/bytes.ts';
import { webCrypto } from '../../../src/crypto/web.ts';
import { corpus, hasCorpus } from '../../shared-data.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { at, backendOf, entityOf, person, type Person, strict, text } from './support.ts';

let juliet: Person;
let romeo: Person;
let signed: Uint8Array;
let sealed: Uint8Array;
let unsigned: Uint8Array;

beforeAll(async () => {
  juliet = await person('juliet@capulet.example', 'p256');
  romeo = await person('romeo@montague.example', 'ed25519');
  const backend = backendOf({ own: [juliet], filed: [romeo] });
  const common = { ...strict, content: text, profile: 'modern' } as const;
  const to = [romeo.jid];
  signed = await backend.sign({ ...common, signer: juliet.jid, recipients: to, includeCertificate: true });
  sealed = await backend.encrypt({ ...common, content: signed, recipients: to, hidden: false });
  unsigned = await backend.encrypt({ ...common, recipients: to, hidden: false });
});

const options = (more: Partial<OpenEntityOptions> = {}): OpenEntityOptions => ({
  at,
  keys: [romeo.identity],
  certificates: [juliet.identity.certificates],
  ...more,
});

describe('openEntity', () => {
  it('opens signed, and signed and encrypted entities', async () => {
    const opened = await openEntity(signed, options());
    expect(opened).toMatchObject({ content: text, encryption: undefined, trust: 'pinned' });
    expect(opened.names).toEqual({
      emails: [],
      jids: ['juliet@capulet.example'],
      subject: 'CN=juliet@capulet.example',
    });
    const both = await openEntity(entityOf(sealed), options());
    expect(both).toMatchObject({ content: text, encryption: { aead: true }, trust: 'pinned' });
    expect((await openEntity(base64Decode(entityOf(sealed).body), options())).content).toEqual(text);
  });

  it('refuses what nobody signed, unless it is accepted', async () => {
    await expect(openEntity(unsigned, options())).rejects.toMatchObject({ code: 'ERR_E2E_UNSIGNED' });
    const opened = await openEntity(unsigned, options({ policy: { unsigned: 'accept' } }));
    expect(opened).toMatchObject({ content: text, signatures: [], names: undefined, trust: undefined });
  });

  it('asks who the signer is', async () => {
    const seen: unknown[] = [];
    const identity = (names: unknown): boolean => seen.push(names) === 1;
    expect((await openEntity(sealed, options({ identity }))).content).toEqual(text);
    expect(seen).toHaveLength(1);
    await expect(openEntity(sealed, options({ identity }))).rejects.toMatchObject({
      code: 'ERR_E2E_SENDER_MISMATCH',
      encryption: { aead: true },
    });
  });

  it.each<[string, () => Partial<OpenEntityOptions>, string]>([
    ['unknown signer', () => ({ certificates: [] }), 'ERR_E2E_SIGNER_UNTRUSTED'],
    ['expired', () => ({ at: new Date('2028-01-01') }), 'ERR_E2E_SIGNER_UNTRUSTED'],
    ['no key', () => ({ keys: [] }), 'ERR_E2E_NO_DECRYPTION_KEY'],
    ['key of somebody else', () => ({ keys: [juliet.identity] }), 'ERR_E2E_NO_DECRYPTION_KEY'],
    ['revocation that must be known', () => ({ revocation: 'required' }), 'ERR_E2E_SIGNER_UNTRUSTED'],
  ])('%s', async (_what, more, code) => {
    await expect(openEntity(sealed, options(more()))).rejects.toMatchObject({ code });
  });

  it('keeps to its options', async () => {
    await expect(openEntity(signed, { ...options(), colour: 1 } as never)).rejects.toThrow(TypeError);
    await expect(openEntity(signed, options({ policy: { colour: 1 } as never }))).rejects.toThrow(TypeError);
    await expect(openEntity(signed, options({ at: new Date(NaN) }))).rejects.toThrow(TypeError);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(openEntity(sealed, options({ signal }))).rejects.toThrow('enough');
    await expect(openEntity(utf8('no entity'), options())).rejects.toMatchObject({ code: 'ERR_E2E_MALFORMED' });
  });

  it('takes the start of validity with the tolerance that the policy gives', async () => {
    const early = new Date(at.getTime() - 86_400_000 - 100_000);
    await expect(openEntity(signed, options({ at: early }))).rejects.toMatchObject({
      code: 'ERR_E2E_SIGNER_UNTRUSTED',
    });
    expect((await openEntity(signed, options({ at: early, policy: { clockSkewSeconds: 100 } }))).trust).toBe('pinned');
  });

  it('is the same with WebCrypto, both ways', async () => {
    const web = webCrypto();
    expect((await openEntity(sealed, options({ crypto: web }))).content).toEqual(text);
    const backend = backendOf({ own: [juliet], filed: [romeo] }, { crypto: web });
    const common = { ...strict, content: text, profile: 'modern' } as const;
    const again = await backend.sign({ ...common, signer: juliet.jid, recipients: [], includeCertificate: true });
    const octets = await backend.encrypt({ ...common, content: again, recipients: [romeo.jid], hidden: false });
    expect((await openEntity(octets, options())).content).toEqual(text);
  });
});

describe.skipIf(!hasCorpus('rfc-personas/'))('the personas of RFC 9216', () => {
  const read = (name: string) => new Uint8Array(corpus(`rfc-personas/${name}.pem`));
  const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  const identity = (who: string) => ({
    keys: join(read(`${who}-sign.key`), read(`${who}-encrypt.key`)),
    certificates: join(read(`${who}-sign.cert`), read(`${who}-encrypt.cert`)),
  });

  it.each([
    ['alice', 'dana', 'ca-rsa'],
    ['carlos', 'bob', 'ca-ed25519'],
  ])('%s writes to %s under the CA of each', async (from, to, anchor) => {
    const { signData } = await import('../../../src/cms/sign.ts');
    const { encryptContent } = await import('../../../src/cms/encrypt.ts');
    const { loadIdentity, canSign, canEncryptTo } = await import('../../../src/backends/smime/key-material.ts');
    const { crypto, defaultLimits } = await import('../x509/support.ts');
    const { multipartSigned } = await import('./forge.ts');
    const sender = await loadIdentity(identity(from), defaultLimits, crypto);
    const { certificate, key } = sender.keys.find((one) => canSign(one.certificate))!;
    const identifier = {
      kind: 'issuer-and-serial',
      issuer: certificate.issuer.raw,
      serial: certificate.serial,
    } as const;
    const cms = await signData({
      content: text,
      detached: true,
      signer: { privateKey: key as never, identifier },
      certificates: [certificate.der],
      crypto,
    });
    const reader = (await loadIdentity(identity(to), defaultLimits, crypto)).keys.find((one) =>
      canEncryptTo(one.certificate),
    )!;
    const recipient = {
      publicKey: reader.certificate.publicKey,
      identifier: {
        kind: 'issuer-and-serial',
        issuer: reader.certificate.issuer.raw,
        serial: reader.certificate.serial,
      } as const,
    };
    const octets = await encryptContent({
      content: multipartSigned(text, cms),
      recipients: [recipient],
      cipher: 'aes128-gcm',
      crypto,
    });
    const opened = await openEntity(octets, {
      at: new Date('2026-01-01T00:00:00Z'),
      keys: [identity(to)],
      trust: { anchors: [read(`${anchor}.cert`)] },
    });
    expect(opened.content).toEqual(text);
    expect(opened.names?.emails).toEqual([`${from}@smime.example`]);
    expect(opened.names?.jids).toEqual([]);
    expect(Jid.isEnforced('alice@smime.example')).toBe(true);
  });
});
