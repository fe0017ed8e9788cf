/** The prefixes and namespace declarations that a start tag needs (Namespaces in XML 1.0). */

import { isNcName } from './characters.ts';
import type { XmlAttribute, XmlElement } from './element.ts';
import { XML, XMLNS } from './namespaces.ts';
import type { Scope, Shadowed } from './scope.ts';

/** A start tag whose names mean in its scope what the tree says. */
export interface StartTag {
  readonly name: string;
  /** Prefixes ('' for the default namespace) and their namespaces; no prefix comes twice. */
  readonly declarations: readonly (readonly [prefix: string, namespace: string])[];
  readonly attributes: readonly (readonly [name: string, attribute: XmlAttribute])[];
  /** For {@link Scope.leave} at the end tag. */
  readonly shadowed: readonly Shadowed[];
}

/**
 * Names an element in a scope, and declares there what is missing. Prefixes stay as written where they can.
 *
 * @throws {TypeError} for names that are not NCNames, reserved namespaces, and attributes that come twice
 */
export function qualify(element: XmlElement, scope: Scope): StartTag {
  checkNames(element.prefix, element.name, element.namespace);
  const claimed = new Map<string, string>();
  const prefix = wantedPrefix(element.prefix, element.namespace);
  claimed.set(prefix, element.namespace);
  const attributes: [string, XmlAttribute][] = [];
  const seen = new Set<string>();
  for (const attribute of element.attributes) {
    const { name, namespace } = attribute;
    checkNames(attribute.prefix, name, namespace);
    if (namespace === '' && name === 'xmlns') throw new TypeError('xmlns is not an attribute of the tree');
    if (seen.size === seen.add(`${name} ${namespace}`).size) throw new TypeError(`attribute ${name} comes twice`);
    const attributePrefix = namespace === '' ? '' : claimPrefix(attribute, claimed);
    attributes.push([qualifiedName(attributePrefix, name), attribute]);
  }
  const declarations: [string, string][] = [];
  const shadowed: Shadowed[] = [];
  for (const [wanted, namespace] of claimed) {
    if (scope.get(wanted) === namespace) continue;
    declarations.push([wanted, namespace]);
    shadowed.push(scope.declare(wanted, namespace));
  }
  return { name: qualifiedName(prefix, element.name), declarations, attributes, shadowed };
}

/** The attribute name that declares a prefix. */
export function declarationName(prefix: string): string {
  return qualifiedName(prefix === '' ? '' : 'xmlns', prefix === '' ? 'xmlns' : prefix);
}

function qualifiedName(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}:${name}`;
}

/** The prefix as written, but for what Namespaces in XML 1.0 section 3 reserves. */
function wantedPrefix(prefix: string, namespace: string): string {
  if (namespace === XML) return 'xml';
  return namespace === '' || prefix === 'xml' || prefix === 'xmlns' ? '' : prefix;
}

function claimPrefix(attribute: XmlAttribute, claimed: Map<string, string>): string {
  const { namespace } = attribute;
  let prefix = wantedPrefix(attribute.prefix, namespace);
  for (let n = 1; prefix === '' || (claimed.get(prefix) ?? namespace) !== namespace; n++) prefix = `ns${n}`;
  claimed.set(prefix, namespace);
  return prefix;
}

function checkNames(prefix: string, name: string, namespace: string): void {
  if (!isNcName(name)) throw new TypeError('an element or attribute name is not an NCName');
  if (prefix !== '' && !isNcName(prefix)) throw new TypeError('a prefix is not an NCName');
  if (namespace === XMLNS) throw new TypeError('the namespace of xmlns cannot be used for names');
}
