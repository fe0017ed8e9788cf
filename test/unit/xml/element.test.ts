import { describe, expect, it } from 'vitest';

import { element, joinText, XmlElement } from '../../../src/xml/element.ts';
import { CLIENT, XML } from '../../../src/xml/namespaces.ts';
import { mapElements } from '../../../src/xml/walk.ts';

const message = element('message', CLIENT, { to: 'a@b', id: undefined, 'xml:lang': 'en' }, [
  'one',
  element('body', CLIENT, {}, ['first']),
  'two',
  '',
  element('body', CLIENT, { 'xml:lang': 'de' }, ['second']),
  element('body', 'urn:other'),
]);

describe('an element', () => {
  it('is read by names and namespaces', () => {
    expect(message.is('message', CLIENT)).toBe(true);
    expect(message.is('message', '')).toBe(false);
    expect(message.attribute('to')).toBe('a@b');
    expect(message.attribute('to', XML)).toBeUndefined();
    expect(message.attribute('id')).toBeUndefined();
    expect(message.lang).toBe('en');
    expect(message.text).toBe('onetwo');
    expect(message.elements).toHaveLength(3);
    expect(message.all('body')).toHaveLength(2);
    expect(message.first('body')?.text).toBe('first');
    expect(message.first('body', 'urn:other')?.text).toBe('');
    expect(message.first('x')).toBeUndefined();
  });

  it('is changed by copies', () => {
    expect(message.withAttribute('to', undefined).attribute('to')).toBeUndefined();
    expect(message.withAttribute('to', 'c').attribute('to')).toBe('c');
    expect(message.withAttribute('lang', 'fr', XML).lang).toBe('fr');
    expect(message.withChildren(['x', 'y']).children).toEqual(['xy']);
    expect(message.attribute('to')).toBe('a@b');
  });

  it('does not mistake names of object properties', () => {
    const tree = element('__proto__', '', JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>);
    expect(tree.attribute('__proto__')).toBe('x');
    expect(tree.attribute('constructor')).toBe('y');
    expect(tree.attribute('toString')).toBeUndefined();
  });
});

it('joins text', () => {
  expect(joinText(['a', '', 'b', message, '', 'c', 'd'])).toEqual(['ab', message, 'cd']);
});

it('maps the elements of a tree from the leaves up, keeping what does not change', () => {
  expect(mapElements(message, (e) => e)).toBe(message);
  const renamed = mapElements(
    message,
    (e) => new XmlElement(e.prefix, e.namespace, `${e.name}-`, e.attributes, e.children),
  );
  expect(renamed.elements.map(({ name }) => name)).toEqual(['body-', 'body-', 'body-']);
  expect(renamed.text).toBe('onetwo');
});
