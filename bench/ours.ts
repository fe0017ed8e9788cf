/** The whole pipeline: stanza text in, stanza text out; and the formats alone. */
import { mapStanza, parsePayload, reconstruct } from '../src/formats.ts';
import {
  type Limits,
  openStanza,
  parseXml,
  type Protection,
  rfc3923Policy,
  sealStanza,
  serializeXml,
  strictPolicy,
} from '../src/index.ts';
import type { Contender } from './contender.ts';
import { juliet, type Pair, romeo } from './people.ts';

/** The MIME entity that is signed or encrypted for a stanza. */
export function entityOf(text: string, limits: Limits): Uint8Array {
  const at = BigInt(Date.now()) * 1_000_000n;
  const stanza = parseXml(text, { limits });
  return mapStanza(stanza, { form: 'auto', loss: 'refuse', from: juliet, to: [romeo], at, wrapped: true }).entity;
}

export async function ours({ sender, recipient }: Pair, text: string, limits: Limits): Promise<Contender> {
  const seal = async (protection: Protection): Promise<string> =>
    // One recipient, as for the others; by default the sender could read the message too.
    serializeXml(await sealStanza(text, { backend: sender.backend, protection, encryptToSelf: false, limits }));
  const options = { backends: [recipient.backend], me: romeo, replay: false, limits } as const;
  const opener = async (protection: Protection): Promise<() => Promise<string>> => {
    const sealed = await seal(protection);
    const policy = protection === 'encrypt' ? rfc3923Policy : strictPolicy;
    return async () => serializeXml((await openStanza(sealed, { ...options, policy })).stanza);
  };
  return {
    seal: () => seal('sign+encrypt'),
    sign: () => seal('sign'),
    encrypt: () => seal('encrypt'),
    open: await opener('sign+encrypt'),
    verify: await opener('sign'),
    decrypt: await opener('encrypt'),
  };
}

/** Stanza text to MIME entity, and back to stanza text, without any cryptography. */
export function formats(
  text: string,
  limits: Limits,
): { readonly map: () => unknown; readonly reconstruct: () => unknown } {
  const entity = entityOf(text, limits);
  return {
    map: () => entityOf(text, limits),
    reconstruct: () => {
      const { stanza } = reconstruct(parsePayload(entity, limits), {
        from: juliet.withResource('balcony'),
        to: romeo.withResource('orchard'),
        type: 'chat',
        id: 'm1',
      });
      return serializeXml(stanza);
    },
  };
}
