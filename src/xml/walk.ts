/** Walks through trees without recursion: a tree built by hand may be deeper than the call stack. */

import type { XmlElement, XmlNode } from './element.ts';

/** What happens at each step of a walk in document order. */
export interface XmlVisitor {
  start(element: XmlElement): void;
  text(text: string, parent: XmlElement): void;
  end(element: XmlElement): void;
}

interface Step {
  readonly element: XmlElement;
  next: number;
}

/** Visits a tree in document order. */
export function walk(root: XmlElement, visitor: XmlVisitor): void {
  const open: Step[] = [{ element: root, next: 0 }];
  visitor.start(root);
  for (let step = open.at(-1); step !== undefined; step = open.at(-1)) {
    const child = step.element.children[step.next++];
    if (child === undefined) {
      visitor.end(step.element);
      open.pop();
    } else if (typeof child === 'string') {
      visitor.text(child, step.element);
    } else {
      visitor.start(child);
      open.push({ element: child, next: 0 });
    }
  }
}

/** A tree with each element replaced, the children first. Returns the same tree where nothing changes. */
export function mapElements(root: XmlElement, change: (element: XmlElement) => XmlElement): XmlElement {
  const levels: XmlNode[][] = [[]];
  walk(root, {
    start: () => levels.push([]),
    text: (text) => levels.at(-1)!.push(text),
    end(element) {
      const children = levels.pop()!;
      const same = children.every((child, index) => child === element.children[index]);
      levels.at(-1)!.push(change(same ? element : element.withChildren(children)));
    },
  });
  return levels[0]![0] as XmlElement;
}
