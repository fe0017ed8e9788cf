/** Who can read what was encrypted, and what nobody signed. */
import { describe, expect, it } from 'vitest';
import { openStanza, rfc3923Policy, sealStanza } from '../../../src/index.ts';
import {
  at,
  backendOf,
  call,
  entity,
  expectOutcome,
  juliet,
  mallory,
  open,
  person,
  type Person,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory);
const sender = backendOf(j, [r]);
const reader = backendOf(r, [j]);

describe('recipients', () => {
  it('hides them by request, and finds itself among hidden ones', async () => {
    const to = backendOf(m, [j]);
    const both = await seal(backendOf(j, [r, m]), 'sign+encrypt', { recipients: [romeo, mallory], hidden: true });
    const shown = await reader.inspect(entity(both), call().limits);
    expect(shown.facts.filter(([name]) => name === 'recipient')).toEqual([
      ['recipient', 'hidden (ecdh)'],
      ['recipient', 'hidden (ecdh)'],
    ]);
    expectOutcome(await open(reader, both), 'good');
    expectOutcome(await open(to, both, { me: mallory }), 'good');
    expect(
      (await refusal(open(backendOf(await person(mallory), [j]), both, { me: mallory }), 'ERR_E2E_DECRYPTION_FAILED'))
        .stage,
    ).toBe('decrypt');
  });

  it('opens its own copy when it is among the recipients', async () => {
    const both = await seal(sender, 'sign+encrypt', { recipients: [romeo, juliet] });
    const result = expectOutcome(await open(sender, both, { me: juliet }), 'good');
    expect(result.identities[0]!.jid.equals(juliet)).toBe(true);
  });

  it('says by public ids alone that nothing is for it', async () => {
    const error = await refusal(
      open(backendOf(m, [j]), await seal(sender, 'sign+encrypt'), { me: mallory }),
      'ERR_E2E_NO_DECRYPTION_KEY',
    );
    expect(error.encryption).toMatchObject({ keyTransport: ['ecdh'] });
  });

  it('encrypts to every certificate of a recipient, one a device', async () => {
    const second = await person(romeo, 'p256');
    const both = await seal(backendOf(j, [r, second]), 'sign+encrypt');
    expectOutcome(await open(reader, both), 'good');
    expectOutcome(await open(backendOf(second, [j]), both), 'good');
  });

  it('refuses when any recipient has no key', async () => {
    const error = await refusal(seal(sender, 'encrypt', { recipients: [romeo, mallory] }), 'ERR_E2E_NO_RECIPIENT_KEY');
    expect(error.reason).toContain('mallory@example.org');
    await refusal(seal(sender, 'encrypt', { recipients: [] }), 'ERR_E2E_NO_RECIPIENT_KEY');
    await refusal(seal(reader, 'sign'), 'ERR_E2E_NO_SIGNING_KEY');
  });

  it('writes SEIPD version 2 only when every recipient announces it', async () => {
    const v6 = await person(mallory, 'ed25519', { v6: true });
    const from = backendOf(j, [r, v6]);
    const title = async (recipients: readonly Person[]): Promise<string> => {
      const sealed = await seal(from, 'encrypt', { recipients: recipients.map(({ jid }) => jid) });
      return (await reader.inspect(entity(sealed), call().limits)).title;
    };
    expect(await title([v6])).toBe('OpenPGP SEIPD v2');
    expect(await title([r])).toBe('OpenPGP SEIPD v1');
    expect(await title([r, v6])).toBe('OpenPGP SEIPD v1');
  });
});

describe('unsigned and rfc3923Policy', () => {
  it('opens an encrypted stanza that nobody signed only where the policy says so', async () => {
    const stanza = `<message from='${juliet.toString()}/b' to='${romeo.toString()}'><body>hi</body></message>`;
    const sealed = await sealStanza(stanza, { backend: sender, at, protection: 'encrypt' });
    const options = { backends: [reader], me: romeo, at, replay: false as const };
    await refusal(openStanza(sealed, options), 'ERR_E2E_UNSIGNED', 'verify');
    const opened = await openStanza(sealed, { ...options, policy: rfc3923Policy });
    expect(opened.verdict.sender).toBeNull();
  });
});
