import { describe, expect, it } from 'vitest';
import { doubleBackend, doubleCertificates, doubleEncrypted, doubleSigned } from '../../double-backend.ts';
import { base64Encode, utf8 } from '../../../src/bytes.ts';
import { wrap } from '../../../src/e2e/wrap.ts';
import type { EncryptionInfo } from '../../../src/errors.ts';
import { isSealed, parseXml, rfc3923Policy } from '../../../src/index.ts';
import { cpim, juliet, open, refusal, romeo, sealed, sealedIn, shell } from './scene.ts';

const signed = doubleSigned(cpim(), { signers: [juliet] });
const gcm: EncryptionInfo = { cipher: 'aes256-gcm', aead: true, keyTransport: ['ecdh'] };
const cbc: EncryptionInfo = { cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-oaep'] };

describe('layers', () => {
  it('are sign, encrypt around sign, or the combined form', async () => {
    expect((await open(sealedIn(signed))).verdict.protection).toBe('sign');
    expect((await open(sealed())).verdict.protection).toBe('sign+encrypt');
    const combined = doubleEncrypted(cpim(), [romeo], gcm, [{ signers: [juliet] }]);
    expect((await open(sealedIn(combined))).verdict).toMatchObject({ protection: 'sign+encrypt', encryption: gcm });
  });

  it.each([
    ['a signature around a signature', doubleSigned(signed, { signers: [juliet] })],
    ['a signature around an encryption', doubleSigned(doubleEncrypted(cpim(), [romeo]), { signers: [juliet] })],
    ['an encryption around an encryption', doubleEncrypted(doubleEncrypted(signed, [romeo]), [romeo])],
    ['a signature inside a combined form', doubleEncrypted(signed, [romeo], gcm, [{ signers: [juliet] }])],
    ['certificates alone', doubleCertificates()],
  ])('refuse %s', async (_, entity) => {
    await refusal(open(sealedIn(entity)), 'ERR_E2E_LAYERS_REFUSED');
    await refusal(open(sealedIn(entity), { policy: rfc3923Policy }), 'ERR_E2E_LAYERS_REFUSED');
  });

  it('belong to one backend', async () => {
    const other = { ...doubleBackend([]), name: 'other', recognize: () => undefined };
    expect((await open(sealed(), { backends: [other, doubleBackend([])] })).verdict.backend).toBe('double');
    await refusal(open(sealed(), { backends: [other] }), 'ERR_E2E_UNSUPPORTED', 'unwrap');
  });

  it('that are encrypted for somebody else cannot be opened', async () => {
    await refusal(open(sealedIn(doubleEncrypted(signed, [juliet]))), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt');
  });
});

describe('content that is not AEAD', () => {
  it.each([
    ['no signature', cpim()],
    ['a bad signature', doubleSigned(cpim(), { outcome: 'bad' })],
    ['an unknown signer', doubleSigned(cpim(), { outcome: 'unknown-signer' })],
    ['no MIME object', utf8('\u0001\u0002')],
    ['an encrypted layer', doubleEncrypted(cpim(), [romeo])],
    ['a signature around a signature', doubleSigned(signed, { signers: [juliet] })],
  ])('fails alike with %s: one failure told from another is a padding oracle', async (_, content) => {
    const error = await refusal(
      open(sealedIn(doubleEncrypted(content, [romeo], cbc))),
      'ERR_E2E_DECRYPTION_FAILED',
      'decrypt',
    );
    expect(error.reason).toBeUndefined();
    expect(error.encryption).toEqual(cbc);
  });

  it('fails with its own error once a good signature was seen', async () => {
    const forMallory = doubleSigned(cpim({ To: '<im:mallory@example.org>' }), { signers: [juliet] });
    await refusal(open(sealedIn(doubleEncrypted(forMallory, [romeo], cbc))), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
  });

  it('is delivered by the RFC policy as not authenticated', async () => {
    const { verdict } = await open(sealedIn(doubleEncrypted(cpim(), [romeo], cbc)), { policy: rfc3923Policy });
    expect(verdict.authenticated).toBe(false);
    expect(verdict.words.join('\n')).toContain('NOT AUTHENTICATED');
  });

  it('carries its cipher on every error, for the reply rule', async () => {
    const bad = doubleEncrypted(doubleSigned(cpim(), { outcome: 'bad' }), [romeo], gcm);
    expect((await refusal(open(sealedIn(bad)), 'ERR_E2E_SIGNATURE_INVALID')).encryption).toEqual(gcm);
  });
});

describe('the e2e element', () => {
  it('must be there, once, with text alone', async () => {
    await refusal(open(shell), 'ERR_E2E_NOT_SEALED', 'unwrap');
    const one = sealed();
    const two = one.withChildren([...one.children, ...one.children]);
    await refusal(open(two), 'ERR_E2E_LAYERS_REFUSED', 'unwrap');
    const mixed = `<message xmlns='jabber:client' from='${juliet}/b' to='${romeo}'>
      <e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>a<b/></e2e></message>`;
    await refusal(open(mixed), 'ERR_E2E_MALFORMED', 'unwrap');
    await refusal(open(wrap(parseXml(shell), utf8(' \r\n '))), 'ERR_E2E_MALFORMED', 'unwrap');
    await refusal(open("<html xmlns='jabber:client'/>"), 'ERR_E2E_MALFORMED', 'unwrap');
    expect(isSealed(shell)).toBe(false);
    expect(isSealed(sealed())).toBe(true);
  });

  it('may hold white space around the object, as RFC 3923 examples 3 and 9 do', async () => {
    const text = sealed().elements[0]!.text;
    const padded = wrap(parseXml(shell), utf8(`\r\n\r\n${text.replaceAll('\n', '\r\n')}\r\n  `));
    expect((await open(padded)).verdict.protection).toBe('sign+encrypt');
  });

  it('may hold a bare blob, which only a backend can name', async () => {
    const blob = base64Encode(utf8('no known blob'), 64);
    await refusal(open(wrap(parseXml(shell), blob)), 'ERR_E2E_MALFORMED', 'unwrap');
    await refusal(open(wrap(parseXml(shell), utf8('A*B'))), 'ERR_E2E_MALFORMED', 'unwrap');
    await refusal(open(wrap(parseXml(shell), utf8('-----BEGIN X-----'))), 'ERR_E2E_MALFORMED', 'unwrap');
  });

  it('keeps to the size limit', async () => {
    const big = wrap(parseXml(shell), utf8('x'.repeat(262_145)));
    await refusal(open(big), 'ERR_E2E_LIMIT', 'unwrap');
  });
});
