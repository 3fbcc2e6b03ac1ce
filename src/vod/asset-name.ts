import type { NewAssetSource } from './asset-service.ts';

/** What an asset is called when nobody named it: the file's name, or the end of the address. */
export function nameOf(source: NewAssetSource): string {
  switch (source.kind) {
    case 'file':
      return source.filename ?? 'Untitled';
    case 'object':
      return lastPart(source.key);
    case 'url':
      return lastPart(decoded(URL.parse(source.url)?.pathname ?? ''));
  }
}

/** A file name from outside as it may be shown: without folders and control characters, at most 200 characters. Null: nothing is left. */
export function cleanFilename(text: string): string | null {
  const name = text
    .toWellFormed()
    .replace(/\p{Cc}/gu, '')
    .split(/[/\\]/)
    .at(-1)
    ?.trim()
    .slice(0, 200)
    .toWellFormed();
  return name === undefined || name === '' || name === '.' || name === '..' ? null : name;
}

function lastPart(path: string): string {
  return cleanFilename(path.replace(/\/+$/, '')) ?? 'Untitled';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not percent-encoded UTF-8: shown as it is.
  }
}
