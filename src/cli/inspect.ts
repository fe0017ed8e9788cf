/** `xmpp-e2e inspect`: the layers of a sealed stanza, found without keys. Nothing in it is verified. */

import { type InspectedNode, inspectStanza } from '../index.ts';
import { memoryStore } from '../stores/index.ts';
import { backendNames } from './backend-names.ts';
import { loadBackend } from './context.ts';
import { type Io, readStanza } from './io.ts';
import { jsonLine } from './open.ts';
import { emphasisOn, forTerminal } from './terminal.ts';

/** Options of `inspect`. */
export interface InspectCommandOptions {
  readonly json?: true;
}

/**
 * Prints the tree of layers.
 *
 * @throws {CliError} MISSING_INPUT
 * @throws {E2eError} as `inspectStanza`
 */
export async function inspect(io: Io, options: InspectCommandOptions): Promise<void> {
  const stanza = await readStanza(io, 'xmpp-e2e inspect < sealed.xml');
  const backends = await Promise.all(backendNames.map((name) => loadBackend(name, memoryStore())));
  const tree = await inspectStanza(stanza, { backends });
  if (options.json === true) {
    io.stdout.write(`${jsonLine({ v: 1, verified: false, layers: plainNode(tree) }, io.stdout.isTTY === true)}\n`);
    return;
  }
  const emphasize = emphasisOn(io.stdout, io.env);
  io.stdout.write(`${emphasize('bad', 'NOT VERIFIED')}: what the object says about itself, read without keys\n`);
  for (let node: InspectedNode | undefined = tree, depth = 0; node !== undefined; node = node.inside, depth++) {
    const indent = '  '.repeat(depth);
    io.stdout.write(`${indent}${emphasize('title', forTerminal(node.title))}\n`);
    for (const [name, value] of node.facts) {
      io.stdout.write(`${indent}  ${forTerminal(name)}: ${forTerminal(value)}\n`);
    }
    for (const warning of node.warnings) {
      io.stdout.write(`${indent}  ${emphasize('bad', `warning: ${forTerminal(warning)}`)}\n`);
    }
  }
}

/** Layers from the outside in; facts keep their order and may come twice, so they are pairs. */
function plainNode(tree: InspectedNode): object[] {
  const layers: object[] = [];
  for (let node: InspectedNode | undefined = tree; node !== undefined; node = node.inside) {
    const { title, facts, warnings } = node;
    layers.push({ title, facts, warnings });
  }
  return layers;
}
