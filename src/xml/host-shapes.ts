/** Reads elements of other libraries by their shape; what their parts mean is decided in from-host.ts. */

/** The outside of a host's element. */
export interface HostShape {
  readonly kind: 'ltx' | 'dom';
  /** With its prefix. */
  readonly name: string;
  /** As the host knows it; undefined where only declarations tell. */
  readonly namespace: string | undefined;
  /** Declarations included; the third place is the namespace as the host knows it. */
  readonly attributes: readonly (readonly [name: string, value: string, namespace?: string | undefined])[];
}

/** A host's element. */
export interface HostElement extends HostShape {
  /** The object itself, to notice cycles. */
  readonly source: object;
  readonly children: readonly unknown[];
  /** What lies above it. */
  readonly parent: unknown;
}

type Properties = Readonly<Record<string, unknown>>;

/** An ltx-like object: `name`, `attrs`, `children`, `parent`. Attributes that are null or undefined do not exist. */
export function readLtx(source: object): HostElement | undefined {
  const { name, attrs, children, parent } = source as Properties;
  if (typeof name !== 'string' || typeof attrs !== 'object' || attrs === null || !Array.isArray(children)) {
    return undefined;
  }
  const attributes: [string, string][] = [];
  for (const [key, value] of Object.entries(attrs as Properties)) {
    if (value === null || value === undefined) continue;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    attributes.push([key, String(value)]);
  }
  return { kind: 'ltx', source, name, namespace: undefined, attributes, children: Array.from(children), parent };
}

const elementNode = 1;
const textNode = 3;
const cdataNode = 4;

/** A DOM element, or the data of a DOM text or CDATA node; comments and instructions are undefined. */
export function readDom(source: object): HostElement | string | undefined {
  const { nodeType, data, nodeName, namespaceURI, attributes, childNodes, parentNode } = source as Properties;
  if (nodeType === textNode || nodeType === cdataNode) return typeof data === 'string' ? data : undefined;
  if (nodeType !== elementNode || typeof nodeName !== 'string' || !isList(childNodes)) return undefined;
  if (!isList(attributes)) return undefined;
  const read: [string, string, string | undefined][] = [];
  for (const attribute of Array.from(attributes)) {
    if (typeof attribute !== 'object' || attribute === null) return undefined;
    const { name, value, namespaceURI: namespace } = attribute as Properties;
    if (typeof name !== 'string' || typeof value !== 'string') return undefined;
    read.push([name, value, typeof namespace === 'string' && namespace !== '' ? namespace : undefined]);
  }
  return {
    kind: 'dom',
    source,
    // HTML documents show names in upper case, and no stanza lives in one.
    name: nodeName,
    namespace: typeof namespaceURI === 'string' && namespaceURI !== '' ? namespaceURI : undefined,
    attributes: read,
    children: Array.from(childNodes),
    parent: parentNode,
  };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Properties)['length'] === 'number';
}

/** The shapes above an element, outermost first, at most `max`. */
export function ancestorsOf(element: HostElement, max: number): readonly HostShape[] {
  const ancestors: HostShape[] = [];
  let { parent } = element;
  while (typeof parent === 'object' && parent !== null && ancestors.length < max) {
    const host: HostElement | string | undefined = element.kind === 'ltx' ? readLtx(parent) : readDom(parent);
    // A document, or whatever else holds the tree.
    if (host === undefined || typeof host === 'string') break;
    ancestors.unshift(host);
    ({ parent } = host);
  }
  return ancestors;
}
