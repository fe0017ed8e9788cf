/** Message stanzas as subject and text, both ways (RFC 3922 sections 4.1 and 4.2). */

import { utf8 } from '../bytes.ts';
import { defaultLimits } from '../limits.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { CLIENT } from '../xml/namespaces.ts';
import type { CpimSubject } from './cpim.ts';
import { isCpimSubject } from './cpim.ts';
import { escapeCpim, isLanguageTag } from './cpim-header.ts';
import {
  isLang,
  isRouting,
  lose,
  type Loss,
  loseAttributes,
  loseText,
  nameOfChild,
  noLoss,
  textOfChild,
} from './loss.ts';
import type { LocalizedText } from './text-part.ts';

/** What Message/CPIM with text can say of a message. */
export interface MappedMessage {
  readonly subjects: readonly CpimSubject[];
  /** Undefined for a message without body. */
  readonly body: LocalizedText | undefined;
  readonly loss: Loss;
}

/** Leaves room for From, To, cc, DateTime and extensions among the CPIM headers that a reader takes. */
const maxSubjects = defaultLimits.cpimHeaders / 2;

/**
 * Maps a message: subjects, and one body. What RFC 3922 has no mapping for (thread, extensions, further bodies) is
 * recorded as lost; type and id are routing and are left alone.
 *
 * @param stanza a message in `jabber:client`
 * @throws {E2eError} UNMAPPABLE for characters that XML cannot hold
 */
export function mapMessage(stanza: XmlElement): MappedMessage {
  const loss = noLoss();
  loseAttributes(stanza, (attribute) => isRouting(attribute) || isLang(attribute), loss);
  if (stanza.lang !== undefined) loss.exact = false;
  const subjects: CpimSubject[] = [];
  let body: LocalizedText | undefined;
  for (const child of stanza.children) {
    if (typeof child === 'string') loseText(child, loss);
    else if (child.is('subject', CLIENT)) {
      if (body !== undefined) loss.exact = false;
      addSubject(child, stanza.lang, subjects, loss);
    } else if (child.is('body', CLIENT) && body === undefined) body = mapBody(child, stanza.lang, loss);
    else lose(loss, nameOfChild(child));
  }
  return { subjects, body, loss };
}

function addSubject(child: XmlElement, inherited: string | undefined, subjects: CpimSubject[], loss: Loss): void {
  const [text, language] = textOfChild(child, inherited, loss);
  const lang = properLanguage(language, loss);
  const twice = subjects.some((other) => other.lang?.toLowerCase() === lang?.toLowerCase());
  const trimmed = trimSpaces(text);
  // RFC 3862 section 2.2 allows no space at the end of a line and no escape for one.
  if (trimmed !== text) lose(loss, 'space around the subject');
  if (twice || !isCpimSubject({ lang, text: trimmed }) || subjects.length === maxSubjects || isLong(trimmed)) {
    lose(loss, 'subject');
  } else subjects.push({ lang, text: trimmed });
}

function isLong(subject: string): boolean {
  return utf8(`Subject:;lang=${'x'.repeat(64)} ${escapeCpim(subject)}`, 'map').length > defaultLimits.cpimHeaderBytes;
}

function mapBody(child: XmlElement, inherited: string | undefined, loss: Loss): LocalizedText {
  const [text, language] = textOfChild(child, inherited, loss);
  // An empty part stands for no body.
  if (text === '') loss.exact = false;
  // text/plain has one kind of line end.
  if (text.includes('\r')) lose(loss, 'carriage return in the body');
  if (text.startsWith('\ufeff')) lose(loss, 'byte order mark in the body');
  return { lang: properLanguage(language, loss), text: text.replace(/^\ufeff+/, '') };
}

function properLanguage(lang: string | undefined, loss: Loss): string | undefined {
  if (lang === undefined || isLanguageTag(lang)) return lang;
  lose(loss, 'xml:lang that is no language tag');
  return undefined;
}

/** Spaces only: a tab or line end has an escape. */
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

/**
 * Builds the children of a message. Inverse of {@link mapMessage}.
 *
 * @param bodies one for each language
 */
export function reconstructMessage(
  subjects: readonly CpimSubject[],
  bodies: readonly LocalizedText[],
): readonly XmlElement[] {
  return [
    ...subjects.map(({ lang, text }) => element('subject', CLIENT, { 'xml:lang': lang }, [text])),
    ...bodies
      .filter(({ text }) => text !== '')
      .map(({ lang, text }) => element('body', CLIENT, { 'xml:lang': lang }, [text])),
  ];
}
