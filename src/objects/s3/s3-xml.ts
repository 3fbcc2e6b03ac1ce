/** An element's content: text, or its children by name. */
export type XmlNode = string | { readonly [name: string]: XmlNode | readonly XmlNode[] };

/** Reads an answer of S3: the content of its root element, whatever its namespace. The parser loads with the first that has to be read. */
export async function readXml(text: string): Promise<XmlNode> {
  const { XMLParser } = await import('fast-xml-parser');
  // Keys are text, also those that look like numbers; what is not ours may have any character, so entities count.
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    ignoreDeclaration: true,
    trimValues: false,
  });
  const root = parser.parse(text) as { readonly [name: string]: XmlNode };
  return Object.entries(root).find(([name]) => !name.startsWith('#'))?.[1] ?? '';
}

/** The children of this name. */
export function childrenOf(node: XmlNode | undefined, name: string): readonly XmlNode[] {
  if (node === undefined || typeof node === 'string') return [];
  const found = node[name];
  if (found === undefined) return [];
  return Array.isArray(found) ? (found as readonly XmlNode[]) : [found as XmlNode];
}

/** The text of the first child of this name; empty when there is none. */
export function textOf(node: XmlNode | undefined, name: string): string {
  const [first] = childrenOf(node, name);
  return typeof first === 'string' ? first : '';
}
