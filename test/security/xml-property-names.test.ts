/** Names that objects have by themselves: elements, attributes, prefixes and entities must not find them there. */
import { describe, expect, test } from 'vitest';

import { parseXml } from '../../src/xml/parse.ts';
import { canonicalXml, sameXml } from '../../src/xml/canonical.ts';
import { toElement } from '../../src/xml/from-host.ts';
import { serializeXml } from '../../src/xml/serialize.ts';

const names = [
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'valueOf',
  'isPrototypeOf',
  'toLocaleString',
  'propertyIsEnumerable',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
  'length',
  'name',
  'get',
  'set',
  'size',
  'then',
  'toJSON',
];

describe.each(names)('%s', (name) => {
  test('is an ordinary name', () => {
    const text = `<${name} xmlns="u" xmlns:${name}="v" ${name}="1" ${name}:${name}="2"><${name}:${name}>x</${name}:${name}></${name}>`;
    const tree = parseXml(text);
    expect(tree.is(name, 'u')).toBe(true);
    expect(tree.attribute(name)).toBe('1');
    expect(tree.attribute(name, 'v')).toBe('2');
    expect(tree.first(name, 'v')?.text).toBe('x');
    expect(sameXml(parseXml(serializeXml(tree)), tree)).toBe(true);
    expect(sameXml(parseXml(canonicalXml(tree)), tree)).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('is no prefix, entity or attribute that was not declared', () => {
    for (const text of [`<${name}:a/>`, `<a ${name}:b=""/>`, `<a>&${name};</a>`]) {
      expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }) as Error);
    }
    expect(parseXml('<a/>').attribute(name)).toBeUndefined();
    expect(() => toElement({ name: `${name}:a`, attrs: {}, children: [] })).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }) as Error,
    );
  });
});

test('Object.prototype stays as it is', () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  parseXml('<a __proto__="polluted" xmlns:__proto__="polluted"><__proto__ polluted="1"/></a>');
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
});
