/** Sealing and opening single stanzas in an SDK's own form, by explicit calls. */

import {
  E2E_NAMESPACE,
  type E2eSession,
  type OpenForwardedOptions,
  type SessionOpenOptions,
  type Verdict,
  type XmlElement,
} from '../index.ts';
import type { StanzaForm } from './stanza-pipe.ts';
import { setVerdict } from './verdict-of.ts';

/** An opened stanza in an SDK's own form. */
export interface ExplicitOpened<Stanza> {
  readonly stanza: Stanza;
  readonly verdict: Verdict;
}

/** Explicit calls of one SDK. */
export interface Explicit<Stanza> {
  /** Whether a stanza holds a sealed object. */
  isSealed(stanza: Stanza): boolean;
  /** @throws {E2eError} as `E2eSession.seal` */
  seal(stanza: Stanza): Promise<Stanza>;
  /**
   * Seals and sends.
   *
   * @throws {E2eError} as `E2eSession.seal`; nothing was sent then
   */
  send(stanza: Stanza): Promise<void>;
  /** @throws {E2eError} as `E2eSession.open` */
  open(stanza: Stanza, options?: SessionOpenOptions): Promise<ExplicitOpened<Stanza>>;
  /**
   * Opens what is sealed inside a carbon copy, an archive result or a forward.
   *
   * @throws {E2eError} as `E2eSession.openForwarded`
   */
  openForwarded(stanza: Stanza, options?: OpenForwardedOptions): Promise<ExplicitOpened<Stanza>>;
}

/** Makes the explicit calls of one SDK. */
export function explicitWith<Stanza>(
  session: E2eSession,
  form: StanzaForm<Stanza>,
  write: (stanza: Stanza) => unknown,
): Explicit<Stanza> {
  const seal = async (stanza: Stanza): Promise<Stanza> =>
    form.build(await session.seal(form.source(stanza) as object | string), stanza);
  const opened = (tree: XmlElement, verdict: Verdict, like: Stanza): ExplicitOpened<Stanza> => {
    const stanza = form.build(tree, like);
    setVerdict(verdict, form.parts(stanza));
    return { stanza, verdict };
  };
  return {
    isSealed: (stanza) => form.glance(stanza).children.some(({ name, namespace }) => isE2e(name, namespace)),
    seal,
    async send(stanza) {
      await write(await seal(stanza));
    },
    async open(stanza, options) {
      const { stanza: tree, verdict } = await session.open(form.source(stanza) as object | string, options);
      return opened(tree, verdict, stanza);
    },
    async openForwarded(stanza, options) {
      const { opened: inner } = await session.openForwarded(form.source(stanza) as object | string, options);
      return opened(inner.stanza, inner.verdict, stanza);
    },
  };
}

function isE2e(name: string, namespace: string): boolean {
  return name === 'e2e' && namespace === E2E_NAMESPACE;
}
