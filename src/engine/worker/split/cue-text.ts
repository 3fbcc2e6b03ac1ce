/** Turns a packet of a text subtitle track into WebVTT cue text (W3C WebVTT §4.2.2); empty when nothing is to be shown. */
export function cueText(codec: string, data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  switch (codec) {
    case 'ass':
    case 'ssa':
      return fromAss(bytes.toString('utf8'));
    case 'mov_text':
      return fromMarkup(movText(bytes));
    case 'webvtt':
      return fromMarkup(webvttPayload(bytes));
    default:
      return fromMarkup(bytes.toString('utf8'));
  }
}

/** Without a brace inside, so that braces which never close are looked at once. */
const OVERRIDES = /\{[^{}]*\}/g;

/** The event's last field (Matroska: ReadOrder, Layer, Style, Name, three margins, Effect, Text), which may hold commas; `{…}` are overrides. */
function fromAss(event: string): string {
  const fields = event.split(',');
  const text = fields.slice(8).join(',');
  const isDrawing = [...text.matchAll(OVERRIDES)].some(([overrides]) => /\\p[1-9]/.test(overrides));
  if (isDrawing) return '';
  const marked = text
    .replaceAll(OVERRIDES, (overrides) =>
      [...overrides.matchAll(/\\([biu])([01])(?![0-9])/g)]
        .map(([, tag = '', on]) => `<${on === '1' ? '' : '/'}${tag}>`)
        .join(''),
    )
    .replaceAll(/\\[Nn]/g, '\n')
    .replaceAll(String.raw`\h`, ' ');
  return fromMarkup(marked);
}

/** A 16-bit length, the text, then boxes of styles (3GPP TS 26.245 §5.17), which are left aside. */
function movText(bytes: Buffer): string {
  if (bytes.length < 2) return '';
  const text = bytes.subarray(2, 2 + bytes.readUInt16BE(0));
  const isUtf16 = text.length >= 2 && text[0] === 0xfe && text[1] === 0xff;
  return isUtf16 ? new TextDecoder('utf-16be').decode(text) : text.toString('utf8');
}

/** Matroska has the text alone; MP4 has boxes (ISO/IEC 14496-30 §7.4): cues `vttc` with a payload `payl`. */
function webvttPayload(bytes: Buffer): string {
  const boxType = bytes.toString('latin1', 4, 8);
  if (boxType === 'vtte') return '';
  if (boxType !== 'vttc') return bytes.toString('utf8');
  const lines: string[] = [];
  const walk = (from: number, to: number): void => {
    for (let at = from; at + 8 <= to;) {
      const size = bytes.readUInt32BE(at);
      const end = at + size;
      if (size < 8 || end > to) return;
      const type = bytes.toString('latin1', at + 4, at + 8);
      if (type === 'vttc') walk(at + 8, end);
      else if (type === 'payl') lines.push(bytes.toString('utf8', at + 8, end));
      at = end;
    }
  };
  walk(0, bytes.length);
  return lines.join('\n');
}

const KEPT_TAG = /^<(\/?)([biu])(?:[.\s][^>]*)?>$/i;
/** The entities that subtitles use (W3C WebVTT §4.2.2); any other `&` is text. */
const ENTITY = /^&(amp|lt|gt|nbsp|lrm|rlm);/;

/** Keeps `<b> <i> <u>`, properly nested, and drops any other tag and the `{\an8}` that SubRip files borrow from ASS. */
function fromMarkup(text: string): string {
  const open: string[] = [];
  let out = '';
  const plain = text
    .replaceAll('\0', '')
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/\{\\[^{}]*\}/g, '');
  for (const [token] of plain.matchAll(/<\/?[A-Za-z0-9][^<>]*>|&[a-z]+;|[^<&]+|[<&]/g)) {
    const tag = KEPT_TAG.exec(token);
    if (tag !== null) {
      const name = (tag[2] ?? '').toLowerCase();
      if (tag[1] !== '/') {
        open.push(name);
        out += `<${name}>`;
      } else if (open.at(-1) === name) {
        open.pop();
        out += `</${name}>`;
      }
    } else if (token === '<') out += '&lt;';
    else if (token.startsWith('&')) out += ENTITY.test(token) ? token : `&amp;${token.slice(1)}`;
    else if (!token.startsWith('<')) out += token.replaceAll('>', '&gt;');
  }
  for (const name of open.toReversed()) out += `</${name}>`;
  // A blank line would end the cue.
  const trimmed = out.replaceAll(/\n\s*\n/g, '\n').trim();
  return trimmed.replaceAll(/<\/?[biu]>/g, '').trim() === '' ? '' : trimmed;
}
