/** What a film is made of. */
export interface AviFilm {
  readonly width: number;
  readonly height: number;
  readonly framesPerS: number;
  /** JPEGs, one a frame. */
  readonly pictures: readonly Uint8Array[];
  readonly sampleRateHz: number;
  /** Signed 16-bit, one channel, as long as the pictures. */
  readonly samples: Int16Array;
}

const KEYFRAME = 0x10;
const HAS_INDEX = 0x10;
const IS_INTERLEAVED = 0x100;
const PCM = 1;

/** Writes an AVI file (Microsoft RIFF, Multimedia Data Standards Update 3.0) of Motion JPEG and PCM, a frame's sound after each frame. */
export function writeAvi(film: AviFilm): Uint8Array {
  const chunks: { readonly id: string; readonly data: Uint8Array }[] = [];
  const sound = Buffer.from(film.samples.buffer, film.samples.byteOffset, film.samples.byteLength);
  let heard = 0;
  for (const [index, picture] of film.pictures.entries()) {
    chunks.push({ id: '00dc', data: picture });
    const until = Math.round(((index + 1) * film.sampleRateHz) / film.framesPerS) * 2;
    chunks.push({ id: '01wb', data: sound.subarray(heard, until) });
    heard = until;
  }
  const entries = Buffer.alloc(chunks.length * 16);
  let offset = 4;
  for (const [index, { id, data }] of chunks.entries()) {
    entries.write(id, index * 16, 'latin1');
    entries.writeUInt32LE(KEYFRAME, index * 16 + 4);
    entries.writeUInt32LE(offset, index * 16 + 8);
    entries.writeUInt32LE(data.length, index * 16 + 12);
    offset += 8 + data.length + (data.length % 2);
  }
  const movie = list('movi', ...chunks.map(({ id, data }) => chunk(id, data)));
  return form('AVI ', headers(film), movie, chunk('idx1', entries));
}

function headers(film: AviFilm): Buffer {
  const { width, height, framesPerS, pictures, sampleRateHz, samples } = film;
  const usPerFrame = Math.round(1_000_000 / framesPerS);
  const flags = HAS_INDEX | IS_INTERLEAVED;
  const main = words(usPerFrame, 0, 0, flags, pictures.length, 0, 2, 0, width, height, 0, 0, 0, 0);
  const video = Buffer.concat([
    Buffer.from('vidsMJPG', 'latin1'),
    words(0, 0, 0, 1, framesPerS, 0, pictures.length, 0, 0xffffffff, 0, 0, (height << 16) | width),
  ]);
  const bitmap = Buffer.concat([
    words(40, width, height, (24 << 16) | 1),
    Buffer.from('MJPG', 'latin1'),
    words(width * height * 3, 0, 0, 0, 0),
  ]);
  const audio = Buffer.concat([
    Buffer.from('auds', 'latin1'),
    words(0, 0, 0, 0, 1, sampleRateHz, 0, samples.length, 0, 0xffffffff, 2, 0, 0),
  ]);
  const wave = words((1 << 16) | PCM, sampleRateHz, sampleRateHz * 2, (16 << 16) | 2);
  return list(
    'hdrl',
    chunk('avih', main),
    list('strl', chunk('strh', video), chunk('strf', bitmap)),
    list('strl', chunk('strh', audio), chunk('strf', wave)),
  );
}

function form(type: string, ...parts: readonly Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from(type, 'latin1'), ...parts]));
}

function list(type: string, ...parts: readonly Buffer[]): Buffer {
  return chunk('LIST', Buffer.concat([Buffer.from(type, 'latin1'), ...parts]));
}

function chunk(id: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}
