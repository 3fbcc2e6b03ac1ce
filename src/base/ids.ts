import { createHash, randomBytes } from 'node:crypto';

/** The prefixes of ids, one for each kind of thing that has one. */
export const ID_PREFIXES = {
  stream: 'str',
  rendition: 'rnd',
  epoch: 'epo',
  segment: 'seg',
  session: 'ses',
  marker: 'mrk',
  hold: 'hld',
  archive: 'arc',
  recording: 'rec',
  key: 'key',
  frame: 'frm',
  event: 'evt',
  task: 'tsk',
  asset: 'ast',
  output: 'out',
  upload: 'upl',
  clip: 'clp',
  chunk: 'chk',
  endpoint: 'whe',
  delivery: 'whd',
  edge: 'edg',
  request: 'req',
} as const;

/** A kind of thing that has ids. */
export type IdKind = keyof typeof ID_PREFIXES;

/** The only source of ids in the server. */
export interface IdSource {
  /** A new id such as `str_0k7x…`: opaque, unguessable, roughly ordered by time of making, `[a-z0-9_]` only. */
  next(kind: IdKind): string;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Ids of 48 bits of time and 80 random bits in Crockford's base 32 (the ULID layout, lower case). */
export const randomIds: IdSource = {
  next(kind) {
    const bytes = randomBytes(16);
    bytes.writeUIntBE(Date.now(), 0, 6);
    return `${ID_PREFIXES[kind]}_${base32(bytes)}`;
  },
};

/** The id of a thing that is made of these parts and of nothing else: asked for again, it is the same. */
export function derivedId(kind: IdKind, ...parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  return `${ID_PREFIXES[kind]}_${base32(digest.subarray(0, 16))}`;
}

/** Whether a text from outside has the shape of an id of this kind. Such a text is safe in a key or a log line. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${ID_PREFIXES[kind]}_`) && /^[a-z]{3}_[0-9a-z]{10,40}$/.test(text);
}

function base32(bytes: Buffer): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >> bits) & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}
