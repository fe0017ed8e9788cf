/**
 * `npm run bench -- --padding SAMPLES`: whether the time of an RSA PKCS #1 v1.5 key transport tells a right padding from a
 * wrong one, which is what Bleichenbacher's attack needs (RFC 3218, RFC 8551 section 6). Welch's t for each kind of fault,
 * beside a control that is leaky on purpose: a measurement that does not find the leak there proves nothing.
 */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  randomInt,
} from 'node:crypto';
import { nodeCrypto } from '../src/crypto/node.ts';
import { median } from './measure.ts';

/** Octets of the wrapped key. */
const keyLength = 16;

/** What differs between two classes of ciphertexts. */
export interface PaddingTiming {
  /** `ours`, or `leaky` for the control. */
  readonly decoder: 'ours' | 'leaky';
  readonly fault: string;
  /** Samples of each class that were kept. */
  readonly samples: number;
  /** Mean nanoseconds. */
  readonly valid: number;
  readonly invalid: number;
  /** Welch's t; beyond 4.5 either way the classes are told apart. */
  readonly t: number;
}

/** Each damages the block 00 02 PS 00 key. */
const faults: Readonly<Record<string, (block: Buffer) => void>> = {
  'another valid one': () => undefined,
  'wrong first octet': (block) => void (block[0] = 1),
  'wrong block type': (block) => void (block[1] = 1),
  'zero at the start of the padding': (block) => void (block[2] = 0),
  'key too long': (block) => void (block[100] = 0),
  'no zero before the key': (block) => void (block[block.length - keyLength - 1] = 1),
  'no zero at all': (block) => void block.fill(7, 2),
};

/** As one would write it without a thought of time: what is only needed for a wrong padding is only done then. */
function leakyDecode(block: Uint8Array, ciphertext: Uint8Array, secret: Uint8Array): Uint8Array {
  try {
    if (block[0] !== 0) throw new Error('first octet');
    if (block[1] !== 2) throw new Error('block type');
    const zero = block.indexOf(0, 2);
    if (zero < 10) throw new Error('short padding');
    if (block.length - zero - 1 !== keyLength) throw new Error('length of the key');
    return block.slice(zero + 1);
  } catch {
    return createHmac('sha512', secret).update(ciphertext).digest().subarray(0, keyLength);
  }
}

/** Mean and variance of the mean. */
function moments(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: variance / values.length };
}

/**
 * Welch's t of two samples.
 *
 * @param a at least two values
 * @param b at least two values
 */
export function welch(a: readonly number[], b: readonly number[]): number {
  const [first, second] = [moments(a), moments(b)];
  return (first.mean - second.mean) / Math.sqrt(first.error + second.error);
}

/**
 * Measures both decoders with every kind of fault.
 *
 * @param samples of each class
 * @param log takes a line for each row
 */
export async function measurePadding(samples: number, log: (line: string) => void): Promise<readonly PaddingTiming[]> {
  const { privateKey } = await nodeCrypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 });
  const key = createPrivateKey({ key: Buffer.from(privateKey.pkcs8), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key);
  const secret = randomBytes(32);
  const decoders: Readonly<Record<PaddingTiming['decoder'], (ciphertext: Uint8Array) => unknown>> = {
    ours: (ciphertext) => nodeCrypto.decryptRsaPkcs1v15(privateKey, ciphertext, keyLength),
    leaky: (ciphertext) =>
      leakyDecode(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext), ciphertext, secret),
  };
  const wrapped = (fault: (block: Buffer) => void): Uint8Array => {
    const padding = randomBytes(253 - keyLength).map((octet) => octet || 1);
    const block = Buffer.concat([Buffer.of(0, 2), padding, Buffer.of(0), randomBytes(keyLength)]);
    fault(block);
    return publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block);
  };
  const rows: PaddingTiming[] = [];
  for (const decoder of ['ours', 'leaky'] as const) {
    const decode = decoders[decoder];
    for (const [fault, damage] of Object.entries(faults)) {
      const times: readonly [number[], number[]] = [[], []];
      for (let i = 0; i < samples * 2; i++) {
        // In a random order and never the same ciphertext twice, so that neither drift nor a cache speaks for a class.
        const kind = times[0].length === samples ? 1 : times[1].length === samples ? 0 : (randomInt(2) as 0 | 1);
        const ciphertext = wrapped(kind === 0 ? () => undefined : damage);
        const start = process.hrtime.bigint();
        decode(ciphertext);
        times[kind].push(Number(process.hrtime.bigint() - start));
      }
      const row = { decoder, fault, ...compare(...times) };
      rows.push(row);
      log(paddingLine(row));
    }
  }
  return rows;
}

/**
 * Compares what lies below a common limit: what is slower was held up by the machine. The limit is the higher median, so
 * that at least half of each class is kept however far they are apart.
 */
function compare(valid: readonly number[], invalid: readonly number[]): Omit<PaddingTiming, 'decoder' | 'fault'> {
  const limit = Math.max(median(valid), median(invalid));
  const [a, b] = [valid, invalid].map((times) => times.filter((time) => time <= limit)) as [number[], number[]];
  return { samples: Math.min(a.length, b.length), valid: moments(a).mean, invalid: moments(b).mean, t: welch(a, b) };
}

/** A row of the table in README.md. */
export function paddingLine({ decoder, fault, samples, valid, invalid, t }: PaddingTiming): string {
  const micros = (value: number): string => (value / 1000).toFixed(2).padStart(8);
  const percent = (((invalid - valid) / valid) * 100).toFixed(2);
  return `| ${decoder.padEnd(5)} | ${fault.padEnd(32)} | ${String(samples).padStart(7)} | ${micros(valid)} | ${micros(invalid)} | ${percent.padStart(6)} % | ${t.toFixed(2).padStart(7)} |`;
}

/** The head of that table. */
export const paddingHead: string = [
  '| what  | fault                            | samples | valid µs | fault µs | apart    | Welch t |',
  '| ----- | -------------------------------- | ------: | -------: | -------: | -------: | ------: |',
].join('\n');
