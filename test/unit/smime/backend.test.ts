import { beforeAll, describe, expect, it } from 'vitest';
import type { EncryptRequest, ExternalPrivateKey, SignRequest } from '../../../src/backends/backend.ts';
import { smime } from '../../../src/backends/smime/index.ts';
import { base64Decode, concatBytes, utf8, utf8Decode } from '../../../src/bytes.ts';
import { serializeCertificates } from '../../../src/cms/signed-data.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import { bareEntity, headerValue, parseEntity, serializeEntity } from '../../../src/mime/entity.ts';
import { parseMultipart } from '../../../src/mime/multipart.ts';
import { parsePem, serializePem } from '../../../src/x509/pem.ts';
import { crypto, issue, type IssueOptions, serializeExtension } from '../x509/support.ts';
import { oids } from '../../../src/asn1/oids.ts';
import { serializeGeneralNames } from '../../../src/x509/general-names.ts';
import { at, backendOf, certified, entityOf, legacy, person, type Person, storeOf, strict, text } from './support.ts';
import { pkcs7Mime } from './forge.ts';

let juliet: Person;
let romeo: Person;
let rsaJuliet: Person;
let rsaRomeo: Person;

beforeAll(async () => {
  juliet = await person('juliet@capulet.example', 'p256');
  romeo = await person('romeo@montague.example', 'ed25519');
  rsaJuliet = await person('juliet@capulet.example', 'rsa2048');
  rsaRomeo = await person('romeo@montague.example', 'rsa2048');
});

const signing = (signer: Person, more: Partial<SignRequest> = {}): SignRequest => ({
  ...strict,
  content: text,
  signer: signer.jid,
  recipients: [],
  includeCertificate: true,
  profile: 'modern',
  ...more,
});
const encrypting = (recipients: readonly Person[], more: Partial<EncryptRequest> = {}): EncryptRequest => ({
  ...strict,
  content: text,
  recipients: recipients.map(({ jid }) => jid),
  hidden: false,
  profile: 'modern',
  ...more,
});

describe('signing and verifying', () => {
  it.each(['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072'] as const)('%s', async (algorithm) => {
    const signer = await person('juliet@capulet.example', algorithm);
    const octets = await backendOf({ own: [signer] }).sign(signing(signer));
    const entity = entityOf(octets);
    expect(entity.contentType?.parameters.get('protocol')).toBe('application/pkcs7-signature');
    const micalg = { p256: 'sha-256', p384: 'sha-384', ed25519: 'sha-512', rsa2048: 'sha-256', rsa3072: 'sha-256' };
    expect(entity.contentType?.parameters.get('micalg')).toBe(micalg[algorithm]);
    const [content, signature] = parseMultipart(entity, { limits: defaultLimits, parts: 2 });
    expect(content).toEqual(text);
    const lines = utf8Decode(parseEntity(signature!, { limits: defaultLimits }).body).split('\r\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBe(64);

    const verified = await backendOf({ filed: [signer] }).verify({
      ...strict,
      entity,
      sender: signer.jid,
      me: undefined,
    });
    expect(verified.content).toEqual(text);
    expect(verified.signatures).toHaveLength(1);
    const [result] = verified.signatures;
    expect(result).toMatchObject({ outcome: 'good', trust: 'pinned', signedAt: at, intendedFor: 'unspecified' });
    expect(result!.identities.map(({ source }) => source)).toEqual(['im', 'pres', 'xmpp-addr']);
    expect(result!.chain[0]!.fingerprint).toBe(result!.fingerprint);
    expect(result!.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names the fields of a signature as RFC 8551 does', async () => {
    const octets = await backendOf({ own: [juliet] }).sign(signing(juliet));
    const [, signature] = parseMultipart(entityOf(octets), { limits: defaultLimits, parts: 2 });
    const entity = parseEntity(signature!, { limits: defaultLimits });
    expect(entity.contentType?.type).toBe('application/pkcs7-signature');
    expect(headerValue(entity, 'content-disposition')).toContain('filename=smime.p7s');
  });

  it('without a certificate the one that was filed is used', async () => {
    const octets = await backendOf({ own: [juliet] }).sign(signing(juliet, { includeCertificate: false }));
    const entity = entityOf(octets);
    const known = await backendOf({ filed: [juliet] }).verify({ ...strict, entity, sender: juliet.jid, me: undefined });
    expect(known.signatures[0]!.outcome).toBe('good');
    const unknown = await backendOf({}).verify({ ...strict, entity, sender: juliet.jid, me: undefined });
    expect(unknown.signatures[0]).toMatchObject({ outcome: 'unknown-signer', fingerprint: undefined, chain: [] });
  });

  it('my own signature is known by my own identity', async () => {
    const backend = backendOf({ own: [juliet] });
    const entity = entityOf(await backend.sign(signing(juliet)));
    const { signatures } = await backend.verify({ ...strict, entity, sender: juliet.jid, me: undefined });
    expect(signatures[0]!.outcome).toBe('good');
  });

  it('by a CA, with and without its intermediate certificate in the message', async () => {
    const extensions: IssueOptions['extensions'] = [
      serializeExtension(
        oids.subjectAltName,
        false,
        serializeGeneralNames([{ form: 'xmppAddr', text: 'juliet@capulet.example' }]),
      ),
    ];
    const root = await issue({ subject: 'Root', ca: true });
    const middle = await issue({ subject: 'CA', issuer: root, ca: true });
    const leaf = await issue({ subject: 'juliet', issuer: middle, extensions });
    const signer = certified('juliet@capulet.example', leaf);
    const chain = serializePem('CERTIFICATE', middle.certificate.der);
    const withChain: Person = {
      jid: signer.jid,
      identity: { ...signer.identity, certificates: concatBytes(signer.identity.certificates, chain) },
    };
    const recipient = backendOf({}, { trust: { anchors: [serializePem('CERTIFICATE', root.certificate.der)] } });
    const judge = async (octets: Uint8Array) => {
      const request = { ...strict, entity: entityOf(octets), sender: signer.jid, me: undefined };
      return (await recipient.verify(request)).signatures[0]!;
    };
    const good = await judge(await backendOf({ own: [withChain] }).sign(signing(signer)));
    expect(good).toMatchObject({ outcome: 'good', trust: 'anchor' });
    expect(good.chain.map(({ subject }) => subject)).toEqual(['CN=juliet', 'CN=CA', 'CN=Root']);
    expect((await judge(await backendOf({ own: [signer] }).sign(signing(signer)))).outcome).toBe('untrusted');
  });

  it('opaque signed data is read', async () => {
    const { signData } = await import('../../../src/cms/sign.ts');
    const { loadIdentity } = await import('../../../src/backends/smime/key-material.ts');
    const { keys } = await loadIdentity(juliet.identity, defaultLimits, crypto);
    const { certificate, key } = keys[0]!;
    const cms = await signData({
      content: text,
      detached: false,
      signer: {
        privateKey: key as never,
        identifier: { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial },
      },
      certificates: [certificate.der],
      crypto,
    });
    const backend = backendOf({ filed: [juliet] });
    for (const entity of [entityOf(pkcs7Mime(cms, 'enveloped-data')), bareEntity(cms)]) {
      expect(backend.recognize(entity)).toBe('signed');
      const { content, signatures } = await backend.verify({ ...strict, entity, sender: juliet.jid, me: undefined });
      expect(content).toEqual(text);
      expect(signatures[0]!.outcome).toBe('good');
    }
  });

  it('changed content is bad, by whatever octet', async () => {
    const backend = backendOf({ own: [juliet], filed: [juliet] });
    const octets = await backend.sign(signing(juliet));
    const start = Buffer.from(octets).indexOf('Wherefore');
    for (let i = start; i < start + 9; i++) {
      const changed = octets.slice();
      changed[i]! ^= 1;
      const { signatures } = await backend.verify({
        ...strict,
        entity: entityOf(changed),
        sender: juliet.jid,
        me: undefined,
      });
      expect(signatures[0]).toMatchObject({ outcome: 'bad', identities: [], trust: undefined, signedAt: undefined });
    }
  });

  it('the profile of RFC 3923 signs with RSA and SHA-1', async () => {
    const backend = backendOf({ own: [rsaJuliet], filed: [rsaJuliet] });
    const entity = entityOf(await backend.sign(signing(rsaJuliet, { profile: 'rfc3923' })));
    expect(entity.contentType?.parameters.get('micalg')).toBe('sha-1');
    const request = { entity, sender: rsaJuliet.jid, me: undefined };
    expect((await backend.verify({ ...strict, ...request })).signatures[0]).toMatchObject({
      outcome: 'weak',
      identities: [],
    });
    expect((await backend.verify({ ...legacy, ...request })).signatures[0]!.outcome).toBe('good');
    const none = backendOf({ own: [juliet] }).sign(signing(juliet, { profile: 'rfc3923' }));
    await expect(none).rejects.toMatchObject({
      code: 'ERR_E2E_NO_SIGNING_KEY',
      reason: expect.stringContaining('RSA'),
    });
  });
});

describe('no signing key', () => {
  const refused = (content: Parameters<typeof backendOf>[0], more: Partial<SignRequest> = {}) =>
    backendOf(content).sign(signing(juliet, more));

  it.each<[string, (backend: typeof refused) => Promise<unknown>, string]>([
    ['nothing stored', (sign) => sign({}), 'no key is stored'],
    ['expired', (sign) => sign({ own: [juliet] }, { at: new Date('2028-01-01') }), 'expired'],
    ['not valid yet', (sign) => sign({ own: [juliet] }, { at: new Date('2020-01-01') }), 'not valid yet'],
    ['of another JID', (sign) => sign({ own: [{ ...romeo, jid: juliet.jid }] }), 'does not name it'],
  ])('%s', async (_what, sign, reason) => {
    await expect(sign(refused)).rejects.toMatchObject({
      code: 'ERR_E2E_NO_SIGNING_KEY',
      stage: 'sign',
      reason: expect.stringContaining(reason),
    });
  });

  it('an encryption key does not sign', async () => {
    const { keys, certificates } = romeo.identity;
    const onlyEncryption = parsePem(certificates)
      .slice(1)
      .map(({ der }) => serializePem('CERTIFICATE', der));
    const identity = { keys, certificates: concatBytes(...onlyEncryption) };
    const request = signing(romeo);
    await expect(backendOf({ own: [{ jid: romeo.jid, identity }] }).sign(request)).rejects.toMatchObject({
      code: 'ERR_E2E_NO_SIGNING_KEY',
      reason: expect.stringContaining('not for signing'),
    });
  });

  it('a locked key is KEY_UNAVAILABLE', async () => {
    const { encryptPrivateKey } = await import('../../../src/backends/smime/encrypted-private-key.ts');
    const [key] = parsePem(juliet.identity.keys as Uint8Array);
    const locked = serializePem('ENCRYPTED PRIVATE KEY', await encryptPrivateKey(key!.der, 'secret', crypto, 1000));
    const own = (passphrase?: () => Promise<string>): Person => ({
      ...juliet,
      identity: { ...juliet.identity, keys: locked, passphrase },
    });
    await expect(backendOf({ own: [own()] }).sign(signing(juliet))).rejects.toMatchObject({
      code: 'ERR_E2E_KEY_UNAVAILABLE',
    });
    const unlocked = backendOf({ own: [own(() => Promise.resolve('secret'))] });
    expect((await unlocked.sign(signing(juliet))).length).toBeGreaterThan(0);
  });
});

describe('encrypting and decrypting', () => {
  it.each(['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072'] as const)('to %s', async (algorithm) => {
    const recipient = await person('romeo@montague.example', algorithm);
    const octets = await backendOf({ filed: [recipient] }).encrypt(encrypting([recipient]));
    const entity = entityOf(octets);
    expect(entity.contentType?.type).toBe('application/pkcs7-mime');
    expect(entity.contentType?.parameters.get('smime-type')).toBe('authEnveloped-data');
    expect(entity.contentType?.parameters.get('name')).toBe('smime.p7m');
    const backend = backendOf({ own: [recipient] });
    expect(backend.recognize(entity)).toBe('encrypted');
    const decrypted = await backend.decrypt({ ...strict, entity, me: recipient.jid, sender: undefined });
    expect(decrypted.content).toEqual(text);
    const transport = algorithm === 'ed25519' ? 'x25519' : algorithm.startsWith('rsa') ? 'rsa-oaep' : 'ecdh';
    expect(decrypted.encryption).toEqual({ cipher: 'aes256-gcm', aead: true, keyTransport: [transport] });
    expect(decrypted.signatures).toBeUndefined();
  });

  it('to several recipients with several certificates each, myself among them', async () => {
    const second = await person('romeo@montague.example', 'p384');
    const sender = backendOf({ own: [juliet], filed: [romeo, second] });
    const entity = entityOf(await sender.encrypt(encrypting([romeo, juliet])));
    for (const reader of [romeo, second, juliet]) {
      const { content } = await backendOf({ own: [reader] }).decrypt({
        ...strict,
        entity,
        me: reader.jid,
        sender: undefined,
      });
      expect(content).toEqual(text);
    }
    const description = await sender.inspect(entity, defaultLimits);
    expect(description.facts.filter(([name]) => name === 'recipient')).toHaveLength(3);
  });

  it('the profile of RFC 3923 writes AES-128-CBC and RSA PKCS #1 v1.5, which are read where the policy says so', async () => {
    const octets = await backendOf({ filed: [rsaRomeo] }).encrypt(encrypting([rsaRomeo], { profile: 'rfc3923' }));
    const entity = entityOf(octets);
    expect(entity.contentType?.parameters.get('smime-type')).toBe('enveloped-data');
    const backend = backendOf({ own: [rsaRomeo] });
    const request = { entity, me: rsaRomeo.jid, sender: undefined };
    const decrypted = await backend.decrypt({ ...legacy, ...request });
    expect(decrypted.content).toEqual(text);
    const encryption = { cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-pkcs1v15'] };
    expect(decrypted.encryption).toEqual(encryption);
    await expect(backend.decrypt({ ...strict, ...request })).rejects.toMatchObject({
      code: 'ERR_E2E_WEAK_ALGORITHM',
      encryption,
    });
    const cbcAlone = { ...strict.algorithms, cbc: true };
    await expect(backend.decrypt({ ...strict, ...request, algorithms: cbcAlone })).rejects.toMatchObject({
      code: 'ERR_E2E_WEAK_ALGORITHM',
    });
    const none = backendOf({ filed: [romeo] }).encrypt(encrypting([romeo], { profile: 'rfc3923' }));
    await expect(none).rejects.toMatchObject({ code: 'ERR_E2E_NO_RECIPIENT_KEY' });
  });

  it('somebody else cannot decrypt, and is told by public facts alone', async () => {
    const entity = entityOf(await backendOf({ filed: [romeo] }).encrypt(encrypting([romeo])));
    const mercutio = await person('romeo@montague.example', 'ed25519');
    for (const own of [[mercutio], []]) {
      const result = backendOf({ own }).decrypt({ ...strict, entity, me: romeo.jid, sender: undefined });
      await expect(result).rejects.toMatchObject({
        code: 'ERR_E2E_NO_DECRYPTION_KEY',
        encryption: { cipher: 'aes256-gcm', aead: true, keyTransport: ['x25519'] },
      });
    }
  });

  it('a changed ciphertext is DECRYPTION_FAILED and nothing else', async () => {
    const octets = await backendOf({ filed: [romeo] }).encrypt(encrypting([romeo]));
    const entity = entityOf(octets);
    const cms = base64Decode(entity.body);
    cms[cms.length - 20]! ^= 1;
    const changed = entityOf(serializeEntity(entity.headers, utf8(Buffer.from(cms).toString('base64'))));
    const failure = await backendOf({ own: [romeo] })
      .decrypt({ ...strict, entity: changed, me: romeo.jid, sender: undefined })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_E2E_DECRYPTION_FAILED', reason: undefined });
  });

  it('content over the limit is refused before a key is used', async () => {
    const entity = entityOf(await backendOf({ filed: [romeo] }).encrypt(encrypting([romeo])));
    const limits = limitsWith({ decryptedBytes: text.length - 1 });
    const refused = backendOf({}).decrypt({ ...strict, limits, entity, me: romeo.jid, sender: undefined });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_E2E_LIMIT' });
    const enough = limitsWith({ decryptedBytes: text.length });
    const { content } = await backendOf({ own: [romeo] }).decrypt({
      ...strict,
      limits: enough,
      entity,
      me: romeo.jid,
      sender: undefined,
    });
    expect(content).toEqual(text);
  });
});

describe('no recipient key', () => {
  const fail = (content: Parameters<typeof backendOf>[0], more: Partial<EncryptRequest> = {}) =>
    expect(backendOf(content).encrypt(encrypting([romeo], more))).rejects.toMatchObject({
      code: 'ERR_E2E_NO_RECIPIENT_KEY',
      stage: 'encrypt',
      reason: expect.stringContaining('romeo@montague.example'),
    });

  it('nothing is known, or nothing that is trusted', async () => {
    await fail({});
    await fail({ candidates: [romeo] });
  });

  it('the certificate has expired', () => fail({ filed: [romeo] }, { at: new Date('2028-01-01') }));

  it('the certificate names somebody else', () => fail({ filed: [{ ...juliet, jid: romeo.jid }] }));

  it('the certificate is for signing', async () => {
    const [signingOnly] = parsePem(romeo.identity.certificates);
    const certificates = serializePem('CERTIFICATE', signingOnly!.der);
    await fail({ filed: [{ jid: romeo.jid, identity: { ...romeo.identity, certificates } }] });
  });

  it('one of several recipients has none', async () => {
    const refused = backendOf({ filed: [romeo] }).encrypt(encrypting([romeo, juliet]));
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_E2E_NO_RECIPIENT_KEY',
      reason: expect.stringContaining('juliet@capulet.example'),
    });
  });

  it('there is no recipient', async () => {
    await expect(backendOf({}).encrypt(encrypting([]))).rejects.toMatchObject({ code: 'ERR_E2E_NO_RECIPIENT_KEY' });
  });

  it('too many recipients are LIMIT', async () => {
    const backend = backendOf({ filed: [romeo, juliet] });
    const refused = backend.encrypt(encrypting([romeo, juliet], { limits: limitsWith({ recipients: 1 }) }));
    await expect(refused).rejects.toMatchObject({ code: 'ERR_E2E_LIMIT' });
  });

  it('canSealTo says so', async () => {
    expect(await backendOf({ filed: [romeo] }).canSealTo(romeo.jid, at)).toBe(true);
    expect(await backendOf({ filed: [romeo] }).canSealTo(romeo.jid, new Date('2028-01-01'))).toBe(false);
    expect(await backendOf({ filed: [romeo] }).canSealTo(juliet.jid, at)).toBe(false);
    expect(await backendOf({ candidates: [romeo] }).canSealTo(romeo.jid, at)).toBe(false);
    expect(await backendOf({ own: [juliet] }).canSealTo(juliet.jid, at)).toBe(true);
  });
});

describe('keys that are elsewhere', () => {
  it('sign, agree and decrypt', async () => {
    const { loadIdentity } = await import('../../../src/backends/smime/key-material.ts');
    for (const who of [juliet, rsaJuliet]) {
      const { keys } = await loadIdentity(who.identity, defaultLimits, crypto);
      const key = keys[0]!.key as Parameters<typeof crypto.sign>[0];
      const algorithm = (hash: 'sha256' | 'sha384' | 'sha512') =>
        key.algorithm === 'rsa' ? ({ scheme: 'rsa-pkcs1v15', hash } as const) : ({ scheme: 'ecdsa', hash } as const);
      const card: ExternalPrivateKey = {
        sign: async (data, hash) => crypto.sign(key, algorithm(hash), data),
        agree: async (point) => (await crypto.agree(key, point))!,
        decryptKey: async (encrypted, _scheme, hash) =>
          (await crypto.decryptRsaOaep(key, { hash: hash, mgfHash: hash }, encrypted))!,
      };
      const external: Person = { ...who, identity: { ...who.identity, keys: card } };
      const backend = backendOf({ own: [external], filed: [who] });
      const entity = entityOf(await backend.sign(signing(who)));
      expect((await backend.verify({ ...strict, entity, sender: who.jid, me: undefined })).signatures[0]!.outcome).toBe(
        'good',
      );
      const sealed = entityOf(await backend.encrypt(encrypting([who])));
      expect((await backend.decrypt({ ...strict, entity: sealed, me: who.jid, sender: undefined })).content).toEqual(
        text,
      );
    }
  });

  it('that fail are KEY_UNAVAILABLE when signing, and nothing in particular when decrypting', async () => {
    const card: ExternalPrivateKey = {
      sign: () => Promise.reject(new Error('PIN blocked')),
      agree: () => Promise.reject(new Error('bad point, I can tell you')),
    };
    const own: Person = { ...juliet, identity: { ...juliet.identity, keys: card } };
    const backend = backendOf({ own: [own], filed: [juliet] });
    await expect(backend.sign(signing(juliet))).rejects.toMatchObject({ code: 'ERR_E2E_KEY_UNAVAILABLE' });
    const entity = entityOf(await backend.encrypt(encrypting([juliet])));
    const failure = await backend
      .decrypt({ ...strict, entity, me: juliet.jid, sender: undefined })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_E2E_DECRYPTION_FAILED', reason: undefined });
    const mute: Person = { ...juliet, identity: { ...juliet.identity, keys: {} } };
    await expect(backendOf({ own: [mute] }).sign(signing(juliet))).rejects.toMatchObject({
      code: 'ERR_E2E_NO_SIGNING_KEY',
    });
  });
});

describe('certificates', () => {
  it('are listed for a JID, CAs left out', async () => {
    const list = await backendOf({ filed: [romeo] }).certificates(romeo.jid);
    expect(list.map(({ algorithm }) => algorithm)).toEqual(['ed25519', 'x25519']);
    expect(list[0]).toMatchObject({ jids: ['romeo@montague.example'], subject: 'CN=romeo@montague.example' });
    expect(await backendOf({ filed: [romeo] }).certificates(juliet.jid)).toEqual([]);
  });

  it('come out of certs-only objects and signatures as candidates', async () => {
    const ders = parsePem(romeo.identity.certificates).map(({ der }) => der);
    const backend = backendOf({});
    const entity = entityOf(pkcs7Mime(serializeCertificates(ders), 'certs-only'));
    expect(backend.recognize(entity)).toBe('certificates');
    const candidates = await backend.importCertificates(entity, defaultLimits);
    expect(candidates.map(({ summary }) => summary.algorithm).sort()).toEqual(['ed25519', 'x25519']);
    expect(candidates.map(({ data }) => Buffer.from(data).toString('hex')).sort()).toEqual(
      ders.map((der) => Buffer.from(der).toString('hex')).sort(),
    );
    const signed = entityOf(await backendOf({ own: [juliet] }).sign(signing(juliet)));
    expect(await backend.importCertificates(signed, defaultLimits)).toHaveLength(1);
    expect((await backend.inspect(entity, defaultLimits)).kind).toBe('certificates');
  });

  it('do not come out of encrypted objects', async () => {
    const entity = entityOf(await backendOf({ filed: [romeo] }).encrypt(encrypting([romeo])));
    await expect(backendOf({}).importCertificates(entity, defaultLimits)).rejects.toMatchObject({
      code: 'ERR_E2E_UNSUPPORTED',
    });
  });
});

describe('recognize', () => {
  const backend = smime({ store: storeOf({}) });
  const headers = (value: string, disposition?: string) => [
    { name: 'Content-Type', value },
    { name: 'Content-Transfer-Encoding', value: 'base64' },
    ...(disposition === undefined ? [] : [{ name: 'Content-Disposition', value: disposition }]),
  ];

  it('goes by content and never by smime-type', async () => {
    const sealed = entityOf(await backendOf({ filed: [romeo] }).encrypt(encrypting([romeo])));
    const cms = base64Decode(sealed.body);
    const as = (value: string, disposition?: string) =>
      entityOf(serializeEntity(headers(value, disposition), sealed.body));
    for (const type of ['signed-data', 'certs-only', 'compressed-data', 'x']) {
      expect(backend.recognize(as(`application/pkcs7-mime; smime-type=${type}`))).toBe('encrypted');
    }
    expect(backend.recognize(as('application/x-pkcs7-mime'))).toBe('encrypted');
    expect(backend.recognize(as('application/octet-stream; name=smime.p7m'))).toBe('encrypted');
    expect(backend.recognize(as('application/octet-stream', 'attachment; filename="a.P7M"'))).toBe('encrypted');
    expect(backend.recognize(as('application/octet-stream; name=smime.txt'))).toBeUndefined();
    expect(backend.recognize(as('text/plain; name=smime.p7m'))).toBeUndefined();
    expect(backend.recognize(bareEntity(cms))).toBe('encrypted');
  });

  it('knows what is not its own', () => {
    expect(backend.recognize(entityOf(text))).toBeUndefined();
    expect(backend.recognize(bareEntity(utf8('-----BEGIN PGP MESSAGE-----')))).toBeUndefined();
    expect(backend.recognize(bareEntity(Uint8Array.of(0x30, 0x80)))).toBeUndefined();
    expect(backend.recognize(bareEntity(new Uint8Array()))).toBeUndefined();
    const pgp = 'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b\r\n\r\n--b--\r\n';
    expect(backend.recognize(entityOf(utf8(pgp)))).toBeUndefined();
  });

  it('leaves broken and unknown objects to be refused by name', async () => {
    for (const body of ['AAAA', '!!!!', 'MAA=', 'MAkGByqGSIb3DQE=']) {
      const entity = entityOf(serializeEntity(headers('application/pkcs7-mime'), utf8(body)));
      expect(backend.recognize(entity)).toBe('encrypted');
      await expect(backend.decrypt({ ...strict, entity, me: romeo.jid, sender: undefined })).rejects.toMatchObject({
        code: expect.stringMatching(/MALFORMED|UNSUPPORTED/),
      });
      await expect(backend.inspect(entity, defaultLimits)).rejects.toMatchObject({
        code: expect.stringMatching(/MALFORMED|UNSUPPORTED/),
      });
    }
    await expect(backend.inspect(entityOf(text), defaultLimits)).rejects.toMatchObject({ code: 'ERR_E2E_UNSUPPORTED' });
  });
});

describe('inspect', () => {
  it('describes a signature without a key', async () => {
    const entity = entityOf(await backendOf({ own: [juliet] }).sign(signing(juliet)));
    const description = await backendOf({}).inspect(entity, defaultLimits);
    expect(description).toMatchObject({ kind: 'signed', title: 'CMS SignedData', content: text, warnings: [] });
    const facts = Object.fromEntries(description.facts);
    expect(facts['form']).toBe('multipart/signed');
    expect(facts['signature']).toBe('ecdsa sha256');
    expect(facts['claimed time']).toBe(at.toISOString());
    expect(facts['certificate']).toContain('juliet@capulet.example');
  });

  it('warns of what is old', async () => {
    const signed = await backendOf({ own: [rsaJuliet] }).sign(signing(rsaJuliet, { profile: 'rfc3923' }));
    expect((await backendOf({}).inspect(entityOf(signed), defaultLimits)).warnings).toContain('SHA-1');
    const sealed = await backendOf({ filed: [rsaRomeo] }).encrypt(encrypting([rsaRomeo], { profile: 'rfc3923' }));
    const { title, warnings } = await backendOf({}).inspect(entityOf(sealed), defaultLimits);
    expect(title).toBe('CMS EnvelopedData');
    expect(warnings).toHaveLength(2);
  });
});

describe('wrong arguments', () => {
  it('are TypeErrors', () => {
    expect(() => smime({ store: storeOf({}), colour: 1 } as never)).toThrow(TypeError);
    expect(() => smime({} as never)).toThrow(TypeError);
    expect(() => smime({ store: storeOf({}), trust: { anchors: [utf8('nonsense')] } })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }),
    );
  });

  it('an abort is kept', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const { signal } = controller;
    await expect(backendOf({ own: [juliet] }).sign(signing(juliet, { signal }))).rejects.toThrow('enough');
    await expect(backendOf({ filed: [romeo] }).encrypt(encrypting([romeo], { signal }))).rejects.toThrow('enough');
  });
});

describe('stores that others fill', () => {
  it('unreadable certificates of a contact stand in nobody’s way', async () => {
    const store = storeOf({ filed: [romeo] });
    const spoiled = {
      ...store,
      find: async (jid: (typeof romeo)['jid']) => [
        { certificates: utf8('nonsense'), filed: true },
        ...(await store.find(jid, 'smime')),
      ],
    };
    expect(await smime({ store: spoiled }).canSealTo(romeo.jid, at)).toBe(true);
  });

  it('what a store throws comes through', async () => {
    const failing = () => Promise.reject(new Error('disk'));
    const backend = smime({ store: { find: failing, identities: failing } });
    await expect(backend.canSealTo(romeo.jid, at)).rejects.toThrow('disk');
    await expect(backend.sign(signing(juliet))).rejects.toThrow('disk');
  });

  it('keys and certificates may lie in one file', async () => {
    const keys = concatBytes(juliet.identity.keys as Uint8Array, juliet.identity.certificates);
    const one: Person = { jid: juliet.jid, identity: { keys, certificates: new Uint8Array() } };
    const backend = backendOf({ own: [one] });
    const entity = entityOf(await backend.sign(signing(juliet)));
    const { signatures } = await backend.verify({ ...strict, entity, sender: juliet.jid, me: undefined });
    expect(signatures[0]!.outcome).toBe('good');
  });

  it('DER files are as good as PEM', async () => {
    const [key] = parsePem(juliet.identity.keys as Uint8Array);
    const [certificate] = parsePem(juliet.identity.certificates);
    const one: Person = { jid: juliet.jid, identity: { keys: key!.der, certificates: certificate!.der } };
    expect(await backendOf({ own: [one] }).canSealTo(juliet.jid, at)).toBe(true);
    const entity = entityOf(await backendOf({ own: [one] }).sign(signing(juliet)));
    const { signatures } = await backendOf({ own: [one] }).verify({
      ...strict,
      entity,
      sender: juliet.jid,
      me: undefined,
    });
    expect(signatures[0]!.outcome).toBe('good');
  });

  it('one locked key does not hide another', async () => {
    const { encryptPrivateKey } = await import('../../../src/backends/smime/encrypted-private-key.ts');
    const [key] = parsePem(rsaJuliet.identity.keys as Uint8Array);
    const locked = serializePem('ENCRYPTED PRIVATE KEY', await encryptPrivateKey(key!.der, 'secret', crypto, 1000));
    const closed: Person = { ...rsaJuliet, identity: { ...rsaJuliet.identity, keys: locked } };
    const backend = backendOf({ own: [closed, juliet] });
    expect((await backend.sign(signing(juliet))).length).toBeGreaterThan(0);
    const entity = entityOf(await backendOf({ filed: [juliet] }).encrypt(encrypting([juliet])));
    expect((await backend.decrypt({ ...strict, entity, me: juliet.jid, sender: undefined })).content).toEqual(text);
    const only = backendOf({ own: [closed] }).decrypt({ ...strict, entity, me: juliet.jid, sender: undefined });
    await expect(only).rejects.toMatchObject({ code: 'ERR_E2E_KEY_UNAVAILABLE' });
  });
});
