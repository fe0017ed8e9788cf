/** Downgrade: a server puts plain content beside a sealed object, or in its place. */
import { describe, expect, it } from 'vitest';
import {
  E2E_NAMESPACE,
  element,
  openStanza,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { backendNames, juliet, people, romeo } from '../people.ts';
import { cpim, shell } from '../unit/e2e/scene.ts';
import { at, crafted, openAs, refused } from './crafted.ts';

const evil = 'Flee to Mantua';
const beside = [
  `<body>${evil}</body>`,
  `<body xml:lang='it'>${evil}</body>`,
  `<subject>${evil}</subject>`,
  `<body>${evil}</body><subject>${evil}</subject><thread>t</thread>`,
  `<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>${evil}</body></html>`,
  `<x xmlns='jabber:x:oob'><url>https://evil.example/${evil}</url></x>`,
  `<replace xmlns='urn:xmpp:message-correct:0' id='m0'/><body>${evil}</body>`,
  `<encryption xmlns='urn:xmpp:eme:0' namespace='${E2E_NAMESPACE}'/><body>${evil}</body>`,
  `<x xmlns='jabber:x:encrypted'>${evil}</x>`,
];

describe.each(backendNames)('plain content beside a sealed object, with %s', (name) => {
  it('never reaches the stanza, and is listed as unprotected: 10 layouts', async () => {
    const { juliet: her, romeo: him } = await people(name);
    const sealed = await crafted(her, him, cpim());
    const e2e = sealed.first('e2e', E2E_NAMESPACE)!;
    const shells = beside.map((xml) => parseXml(shell.replace('/>', `>${xml}</message>`)));
    const layouts: readonly (readonly [XmlElement, number])[] = [
      ...shells.map((outer) => [outer.withChildren([e2e, ...outer.children]), outer.elements.length] as const),
      [shells[0]!.withChildren([evil, ...shells[0]!.children, e2e, evil]), 1],
    ];
    expect(layouts).toHaveLength(10);
    for (const [stanza, count] of layouts) {
      for (const policy of [strictPolicy, rfc3923Policy]) {
        const { stanza: opened, payload, verdict } = await openAs(him, stanza, { policy });
        expect(opened.elements.map((child) => child.text)).toEqual(['Hi']);
        expect(opened.children.filter((child) => typeof child === 'string')).toEqual([]);
        expect([serializeXml(opened), payload.form, ...verdict.words].join()).not.toContain(evil);
        expect(verdict.outside).toHaveLength(count);
        expect(verdict.words.filter((line) => line.startsWith('unprotected beside it'))).toHaveLength(count);
      }
    }
  });

  it('is no sealed object: in its place it is refused, with a code of its own', async () => {
    const { romeo: him } = await people(name);
    for (const xml of beside) {
      const plain = shell.replace('/>', `>${xml}</message>`);
      for (const policy of [strictPolicy, rfc3923Policy]) {
        await refused(openAs(him, plain, { policy }), 'ERR_E2E_NOT_SEALED');
      }
    }
  });

  it('is not made of a payload whose layers were taken off', async () => {
    const { romeo: him } = await people(name);
    const bare = parseXml(shell).withChildren([
      element('e2e', E2E_NAMESPACE, {}, [new TextDecoder().decode(cpim({}, evil))]),
    ]);
    for (const policy of [strictPolicy, rfc3923Policy]) {
      const options = { backends: [him.backend], me: romeo, at, policy, replay: new ReplayGuard() };
      await refused(openStanza(bare, options), 'ERR_E2E_UNSIGNED');
    }
    expect(bare.attribute('from')).toBe(`${juliet}/balcony`);
  });
});
