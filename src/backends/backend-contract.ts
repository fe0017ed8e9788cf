/**
 * The conformance suite of the subpath `xmpp-e2e/backend-contract`: what every security backend promises in
 * `backend.ts`, as cases for any test runner.
 *
 *     for (const { name, run } of backendContract(setup)) it(name, run);
 *
 * One file of more than 400 lines, so that whoever writes a backend reads every promise in one place.
 *
 * A case resolves where the promise is kept and throws a plain `Error` that says which one is broken. Damage comes from
 * a seed, so that a failure can be repeated.
 */

import { concatBytes, equalBytes, indexOfBytes, utf8 } from '../bytes.ts';
import { E2eError, type E2eErrorCode } from '../errors.ts';
import { Jid } from '../jid/jid.ts';
import { defaultLimits, limitsWith } from '../limits.ts';
import { bareEntity, type Entity, parseEntity } from '../mime/entity.ts';
import type { BackendCall, LayerKind, SecurityBackend, SignatureResult, Verified } from './backend.ts';

/** One who takes part: an address, and a backend over that one's own store. */
export interface ContractParty {
  /** Bare JID. */
  readonly jid: Jid;
  readonly backend: SecurityBackend;
}

/** The people of the suite. Keys are valid at `at`. */
export interface ContractSetup {
  /** Has keys, and the trusted certificate of `recipient`. */
  readonly sender: ContractParty;
  /** Has keys, and the trusted certificate of `sender`. */
  readonly recipient: ContractParty;
  /** Has keys, and no certificate of anybody; nobody has the stranger's. */
  readonly stranger: ContractParty;
  readonly at: Date;
}

/** One promise, ready to be tried. */
export interface ContractCase {
  readonly name: string;
  /** @throws {Error} where the promise is broken */
  readonly run: () => Promise<void>;
}

/** A case before it has people. */
type Trial = (people: ContractSetup) => Promise<void>;

const text = 'Wherefore art thou Romeo? \u00e9';
const content = utf8(`Content-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`);
const nobody = Jid.parse('nobody@contract.invalid');
/** Damaged objects of one kind that a case tries. */
const damages = 120;

/**
 * Makes the cases.
 *
 * @param setup called by every case; slow keys may be made once and handed out again
 */
export function backendContract(setup: () => ContractSetup | Promise<ContractSetup>): readonly ContractCase[] {
  return Object.entries(trials).map(([name, trial]) => ({ name, run: async () => trial(await setup()) }));
}

const trials: Readonly<Record<string, Trial>> = {
  'recognizes what it writes, and nothing else': async (people) => {
    const { backend } = people.sender;
    await Promise.resolve();
    expectThat(backend.name !== '', 'a backend needs a name');
    expectThat(recognized(backend, entityOf(await signed(people))) === 'signed', 'sign writes what is no signed layer');
    const sealed = entityOf(await encrypted(people));
    expectThat(recognized(backend, sealed) === 'encrypted', 'encrypt writes what is no encrypted layer');
    const others = [entityOf(content), bareEntity(utf8(text)), bareEntity(new Uint8Array()), bareEntity(content)];
    for (const entity of others) {
      expectThat(recognized(backend, entity) === undefined, 'recognize takes plain text for a layer');
    }
  },

  'recognizes without throwing, whatever the octets': async (people) => {
    for (const octets of [await signed(people), await encrypted(people)]) {
      for (const damaged of damagedForms(octets, 1)) {
        const entity = readable(damaged);
        if (entity !== undefined) recognized(people.recipient.backend, entity);
        recognized(people.recipient.backend, bareEntity(damaged));
      }
    }
  },

  'verifies what it signed: the exact octets, a good signature, the name of the signer': async (people) => {
    for (const includeCertificate of [true, false]) {
      const verified = await verify(people, await signed(people, { includeCertificate }));
      expectOctets(verified.content, 'the content of a signed layer');
      const result = onlySignature(verified.signatures);
      expectGood(result, people.sender.jid);
      expectThat(result.intendedFor !== 'others', 'a signature made for the recipient says that it is for others');
    }
  },

  'calls changed content bad': async (people) => {
    const octets = await signed(people);
    const at = indexOfBytes(octets, utf8('Wherefore'));
    if (at !== -1) {
      const { signatures } = await verify(people, changedAt(octets, at, 0x56));
      expectThat(onlySignature(signatures).outcome === 'bad', 'a signature over other content is not called bad');
    }
    let bad = 0;
    for (let i = 0; i < octets.length; i += Math.max(1, Math.floor(octets.length / damages))) {
      const verified = await attempt(() => verify(people, changedAt(octets, i, octets[i]! ^ 1)), readingCodes);
      if (verified === undefined) continue;
      if (verified.signatures.some(({ outcome }) => outcome === 'bad')) bad++;
      if (equalBytes(verified.content, content)) continue;
      const good = verified.signatures.some(({ outcome }) => outcome === 'good');
      expectThat(!good, `the signature stays good though the content changed (octet ${i} of the layer)`);
    }
    expectThat(bad > 0, 'no change of a signed layer was called bad');
  },

  'does not know a stranger': async (people) => {
    const { jid, backend } = people.stranger;
    const request = { ...call(people), content, signer: jid, recipients: [people.recipient.jid], ...modern };
    const plain = await backend.sign({ ...request, includeCertificate: false });
    const [result] = (await verify(people, plain, jid)).signatures;
    expectThat(result?.outcome === 'unknown-signer', 'a signer without certificate is not called unknown-signer');
    const carried = await verify(people, await backend.sign({ ...request, includeCertificate: true }), jid);
    for (const { outcome, identities } of carried.signatures) {
      expectThat(outcome !== 'good' && identities.length === 0, 'a certificate is trusted because it came along');
    }
  },

  'lets a signature speak for its signer only': async (people) => {
    const verified = await verify(people, await signed(people), people.stranger.jid);
    for (const { identities } of verified.signatures) {
      expectThat(!identities.some(({ jid }) => jid.equals(people.stranger.jid)), 'the signature speaks for another');
    }
  },

  'decrypts what it encrypted, for each recipient': async (people) => {
    const { sender, recipient } = people;
    const octets = await encrypted(people, { recipients: [recipient.jid, sender.jid] });
    expectThat(indexOfBytes(octets, utf8('Wherefore')) === -1, 'an encrypted layer shows its content');
    for (const party of [recipient, sender]) {
      const opened = await decrypt(people, octets, party);
      expectOctets(opened.content, 'the content of an encrypted layer');
      expectThat(
        opened.encryption.cipher !== '' && opened.encryption.keyTransport.length > 0,
        'algorithms are missing',
      );
      expectThat((opened.signatures ?? []).length === 0, 'an encrypted layer that nobody signed has a signature');
    }
    const hidden = await encrypted(people, { hidden: true });
    expectOctets((await decrypt(people, hidden)).content, 'the content for a hidden recipient');
  },

  'encrypts to text as to octets, where it can': async (people) => {
    const { backend } = people.sender;
    if (backend.encryptText === undefined) return;
    const request = { ...call(people), content, recipients: [people.recipient.jid], hidden: false, ...modern };
    const text = await backend.encryptText(request);
    expectThat(/^[\x20-\x7e\n]*$/.test(text), 'an entity as text is not US-ASCII with LF line ends');
    const opened = await decrypt(people, utf8(text.replaceAll('\n', '\r\n')));
    expectOctets(opened.content, 'the content of an entity that was encrypted to text');
    const toNobody = { ...request, recipients: [nobody] };
    await expectCode('ERR_E2E_NO_RECIPIENT_KEY', () => backend.encryptText!(toNobody));
  },

  'signs and encrypts to text as to octets, where it can': async (people) => {
    const { backend, jid } = people.sender;
    if (backend.signAndEncryptText === undefined) return;
    const to = { recipients: [people.recipient.jid], hidden: false, includeCertificate: true, signer: jid };
    const request = { ...call(people), content, ...to, ...modern };
    const text = await backend.signAndEncryptText(request);
    expectThat(/^[\x20-\x7e\n]*$/.test(text), 'an entity as text is not US-ASCII with LF line ends');
    const opened = await decrypt(people, utf8(text.replaceAll('\n', '\r\n')));
    const inner = backend.signAndEncrypt === undefined ? await verify(people, opened.content) : opened;
    expectOctets(inner.content, 'the content of an entity that was signed and encrypted to text');
    expectGood(onlySignature(inner.signatures ?? []), jid);
  },

  'refuses to encrypt where one recipient has no key: NO_RECIPIENT_KEY': async (people) => {
    const { recipient, stranger } = people;
    for (const jid of [nobody, stranger.jid]) {
      await expectCode('ERR_E2E_NO_RECIPIENT_KEY', () => encrypted(people, { recipients: [recipient.jid, jid] }));
    }
  },

  'refuses to sign without a key: NO_SIGNING_KEY': async (people) => {
    for (const signer of [nobody, people.recipient.jid]) {
      await expectCode('ERR_E2E_NO_SIGNING_KEY', () => signed(people, { signer }));
    }
  },

  'refuses to decrypt for somebody else: NO_DECRYPTION_KEY': async (people) => {
    const octets = await encrypted(people);
    await expectCode('ERR_E2E_NO_DECRYPTION_KEY', () => decrypt(people, octets, people.stranger));
    const keyless = { jid: nobody, backend: people.recipient.backend };
    await expectCode('ERR_E2E_NO_DECRYPTION_KEY', () => decrypt(people, octets, keyless));
  },

  'refuses changed ciphertext, and always alike: DECRYPTION_FAILED': async (people) => {
    const octets = await encrypted(people);
    const failures = new Set<string>();
    for (let i = 0; i < octets.length; i += Math.max(1, Math.floor(octets.length / damages))) {
      const damaged = changedAt(octets, i, octets[i]! ^ 1);
      const opened = await attempt(
        () => decrypt(people, damaged),
        decryptingCodes,
        (error) => {
          if (error.code !== 'ERR_E2E_DECRYPTION_FAILED') return;
          // The difference between two failures would be an oracle (RFC 8551 section 6).
          failures.add(JSON.stringify([error.message, error.stage, error.reason]));
        },
      );
      if (opened !== undefined) expectOctets(opened.content, `the content after a change of octet ${i}`);
    }
    expectThat(failures.size > 0, 'no change of the ciphertext ended in DECRYPTION_FAILED');
    expectThat(failures.size === 1, `failures of decryption differ: ${[...failures].join(' ')}`);
  },

  'signs and encrypts in one, where it can': async (people) => {
    const { sender, recipient, stranger } = people;
    const { backend } = sender;
    if (backend.signAndEncrypt === undefined) return;
    const request = {
      ...call(people),
      content,
      signer: sender.jid,
      includeCertificate: false,
      hidden: false,
      ...modern,
    };
    const octets = await backend.signAndEncrypt({ ...request, recipients: [recipient.jid] });
    expectThat(recognized(backend, entityOf(octets)) === 'encrypted', 'the combined form is no encrypted layer');
    const opened = await decrypt(people, octets);
    expectOctets(opened.content, 'the content of the combined form');
    expectGood(onlySignature(opened.signatures ?? []), sender.jid);
    const both = backend.signAndEncrypt.bind(backend);
    await expectCode('ERR_E2E_NO_SIGNING_KEY', () => both({ ...request, signer: nobody, recipients: [recipient.jid] }));
    await expectCode('ERR_E2E_NO_RECIPIENT_KEY', () => both({ ...request, recipients: [stranger.jid] }));
  },

  'says beforehand whom it can seal to': async ({ sender, recipient, stranger, at }) => {
    expectThat(await sender.backend.canSealTo(recipient.jid, at), 'canSealTo denies a recipient with a trusted key');
    for (const jid of [stranger.jid, nobody]) {
      expectThat(!(await sender.backend.canSealTo(jid, at)), 'canSealTo promises what encrypt cannot do');
    }
  },

  'inspects without keys': async (people) => {
    const { backend } = people.stranger;
    const signature = await backend.inspect(entityOf(await signed(people)), defaultLimits);
    expectThat(signature.kind === 'signed' && signature.title !== '', 'a signed layer is not described');
    if (signature.content !== undefined) expectOctets(signature.content, 'the content that inspect shows');
    const envelope = await backend.inspect(entityOf(await encrypted(people)), defaultLimits);
    expectThat(envelope.kind === 'encrypted' && envelope.title !== '', 'an encrypted layer is not described');
    expectThat(envelope.content === undefined, 'inspect shows the content of an encrypted layer');
  },

  'lists certificates, and files none that came along': async (people) => {
    const { sender, recipient, stranger, at } = people;
    expectThat((await recipient.backend.certificates(nobody)).length === 0, 'there is a certificate of nobody');
    const request = { ...call(people), content, signer: stranger.jid, recipients: [recipient.jid], ...modern };
    const octets = await stranger.backend.sign({ ...request, includeCertificate: true });
    const load = () => recipient.backend.importCertificates(entityOf(octets), defaultLimits);
    for (const { data, summary } of (await attempt(load, readingCodes)) ?? []) {
      expectThat(data.length > 0 && summary.fingerprint !== '', 'a candidate certificate is empty');
    }
    const trusted = await recipient.backend.canSealTo(stranger.jid, at);
    expectThat(!trusted, 'a certificate that came with a message is trusted');
    expectThat(await recipient.backend.canSealTo(sender.jid, at), 'a certificate is lost after an import');
  },

  'ends with the reason of an aborted signal': async (people) => {
    const reason = new Error('the user went away');
    const signal = AbortSignal.abort(reason);
    const [signature, envelope] = [await signed(people), await encrypted(people)];
    const calls: Record<string, () => Promise<unknown>> = {
      sign: () => signed(people, { signal }),
      encrypt: () => encrypted(people, { signal }),
      verify: () => verify(people, signature, undefined, { signal }),
      decrypt: () => decrypt(people, envelope, undefined, { signal }),
    };
    for (const [name, start] of Object.entries(calls)) {
      const thrown = await outcomeOf(start);
      expectThat(thrown === reason, `${name} does not end with the reason of an aborted signal`);
    }
  },

  'keeps the limit of recipients: LIMIT': async (people) => {
    const recipients = [people.recipient.jid, people.sender.jid];
    await expectCode('ERR_E2E_LIMIT', () => encrypted(people, { recipients, limits: limitsWith({ recipients: 1 }) }));
  },

  'throws nothing but E2eError for data': async (people) => {
    const { backend, jid: me } = people.recipient;
    const sender = people.sender.jid;
    for (const [seed, octets] of [await signed(people), await encrypted(people)].entries()) {
      for (const damaged of damagedForms(octets, seed + 2)) {
        for (const entity of [readable(damaged), bareEntity(damaged)]) {
          if (entity === undefined) continue;
          await attempt(() => backend.verify({ ...call(people), entity, sender, me }), readingCodes);
          const opened = await attempt(() => backend.decrypt({ ...call(people), entity, me, sender }), decryptingCodes);
          if (opened !== undefined) expectOctets(opened.content, 'the content of a damaged encrypted layer');
          const layer = recognized(backend, entity) !== undefined;
          await attempt(() => backend.inspect(entity, defaultLimits), layer ? readingCodes : inspectingCodes);
          await attempt(() => backend.importCertificates(entity, defaultLimits), readingCodes);
        }
      }
    }
  },
};

const modern = { profile: 'modern' } as const;
const readingCodes: readonly E2eErrorCode[] = ['ERR_E2E_MALFORMED', 'ERR_E2E_LIMIT', 'ERR_E2E_UNSUPPORTED'];
/** Of an entity that is no layer of the backend. */
const inspectingCodes: readonly E2eErrorCode[] = [...readingCodes, 'ERR_E2E_NOT_SEALED'];
const decryptingCodes: readonly E2eErrorCode[] = [
  ...readingCodes,
  'ERR_E2E_WEAK_ALGORITHM',
  'ERR_E2E_NO_DECRYPTION_KEY',
  'ERR_E2E_DECRYPTION_FAILED',
];

function call({ at }: ContractSetup): BackendCall {
  const algorithms = {
    sha1Signatures: false,
    unsignedAttributes: false,
    rsaPkcs1v15: false,
    cbc: false,
    tripleDes: false,
    clockSkewSeconds: 300,
  };
  return { at, algorithms, limits: defaultLimits };
}

function signed(people: ContractSetup, changes: Partial<Parameters<SecurityBackend['sign']>[0]> = {}) {
  const { sender, recipient } = people;
  const request = { content, signer: sender.jid, recipients: [recipient.jid], includeCertificate: true, ...modern };
  return sender.backend.sign({ ...call(people), ...request, ...changes });
}

function encrypted(people: ContractSetup, changes: Partial<Parameters<SecurityBackend['encrypt']>[0]> = {}) {
  const { sender, recipient } = people;
  const request = { content, recipients: [recipient.jid], hidden: false, ...modern };
  return sender.backend.encrypt({ ...call(people), ...request, ...changes });
}

async function verify(
  people: ContractSetup,
  octets: Uint8Array,
  sender: Jid = people.sender.jid,
  changes: Partial<BackendCall> = {},
): Promise<Verified> {
  const { backend, jid: me } = people.recipient;
  return backend.verify({ ...call(people), entity: entityOf(octets), sender, me, ...changes });
}

async function decrypt(
  people: ContractSetup,
  octets: Uint8Array,
  { backend, jid: me }: ContractParty = people.recipient,
  changes: Partial<BackendCall> = {},
) {
  return backend.decrypt({ ...call(people), entity: entityOf(octets), me, sender: people.sender.jid, ...changes });
}

function entityOf(octets: Uint8Array): Entity {
  return parseEntity(octets, { limits: defaultLimits });
}

/** What the MIME reader refuses never reaches a backend. */
function readable(octets: Uint8Array): Entity | undefined {
  try {
    return entityOf(octets);
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

function recognized(backend: SecurityBackend, entity: Entity): LayerKind | undefined {
  try {
    return backend.recognize(entity);
  } catch (error) {
    throw new Error('recognize throws for data', { cause: error });
  }
}

function changedAt(octets: Uint8Array, at: number, octet: number): Uint8Array {
  return Uint8Array.from(octets, (old, i) => (i === at ? octet : old));
}

/** Changed, cut, doubled and swapped octets, the same for the same seed (xorshift32). */
function* damagedForms(octets: Uint8Array, seed: number): Generator<Uint8Array> {
  let state = 0x9e3779b9 ^ seed;
  const below = (bound: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
  for (let i = 0; i < damages; i++) {
    const [from, to] = [below(octets.length), below(octets.length)].sort((a, b) => a - b) as [number, number];
    const [head, middle, tail] = [octets.subarray(0, from), octets.subarray(from, to), octets.subarray(to)];
    yield [
      () => changedAt(octets, from, below(256)),
      () => head,
      () => concatBytes(head, tail),
      () => concatBytes(head, middle, middle, tail),
      () => concatBytes(head, tail, middle),
    ][i % 5]!();
  }
}

/** @returns undefined where it ended in an E2eError with one of the codes */
async function attempt<T>(
  work: () => Promise<T>,
  codes: readonly E2eErrorCode[],
  seen: (error: E2eError) => void = () => undefined,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof E2eError)) throw new Error(`not an E2eError for data: ${String(error)}`, { cause: error });
    if (!codes.includes(error.code)) throw new Error(`${error.code} is none of the codes promised`, { cause: error });
    seen(error);
    return undefined;
  }
}

async function outcomeOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

async function expectCode(code: E2eErrorCode, work: () => Promise<unknown>): Promise<void> {
  const thrown = await outcomeOf(work);
  const found = thrown instanceof E2eError ? thrown.code : thrown === undefined ? 'no error' : 'another error';
  expectThat(found === code, `${code} was promised, and ${found} came`);
}

function onlySignature(signatures: readonly SignatureResult[]): SignatureResult {
  expectThat(signatures.length === 1, `one signature was made, ${signatures.length} are reported`);
  return signatures[0]!;
}

function expectGood({ outcome, reason, identities, fingerprint }: SignatureResult, signer: Jid): void {
  expectThat(outcome === 'good', `a right signature is called ${outcome}: ${reason}`);
  expectThat(
    identities.some(({ jid }) => jid.equals(signer)),
    'a good signature does not name its signer',
  );
  expectThat(fingerprint !== undefined && fingerprint !== '', 'a good signature has no fingerprint');
}

function expectOctets(found: Uint8Array, what: string): void {
  expectThat(equalBytes(found, content), `${what} is not the octets that were sealed`);
}

function expectThat(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
