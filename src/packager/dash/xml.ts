/** A node of an XML document: its name, its attributes in order, its children or text. */
export interface XmlElement {
  readonly name: string;
  /** Those that are undefined are left out. */
  readonly attributes?: Readonly<Record<string, string | number | undefined>>;
  readonly children?: readonly XmlElement[];
  readonly text?: string;
}

/** An XML 1.0 document, one element a line. Whatever values hold, they stay values. */
export function renderXml(root: XmlElement): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  renderElement(root, '', lines);
  return `${lines.join('\n')}\n`;
}

function renderElement(
  { name, attributes = {}, children = [], text }: XmlElement,
  indent: string,
  lines: string[],
): void {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escaped(String(value))}"`],
  );
  const head = `${indent}<${name}${written.join('')}`;
  if (text !== undefined) {
    lines.push(`${head}>${escaped(text)}</${name}>`);
  } else if (children.length === 0) {
    lines.push(`${head}/>`);
  } else {
    lines.push(`${head}>`);
    for (const child of children) renderElement(child, `${indent}  `, lines);
    lines.push(`${indent}</${name}>`);
  }
}

/** Characters that XML has no way to write become U+FFFD (XML 1.0 §2.2). */
function escaped(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
