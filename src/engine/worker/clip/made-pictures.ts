import type { Frame } from 'node-av/lib';
import { ZoetropeError } from '../../../base/errors.ts';
import { sampleEntryOf } from '../../../packager/mp4/sample-description.ts';
import { parseSps } from '../../../packager/h264/sps.ts';
import { PixelConverter } from '../pixel-converter.ts';
import type { Progress } from '../transcode-context.ts';
import type { PictureGroup, SegmentBytes, SourcePicture } from './clip-source.ts';
import type { ClipTracks } from './clip-tracks.ts';
import { type DescriptionList, unusedSetId } from './clip-descriptions.ts';
import {
  EdgeEncoder,
  encodeBlack,
  lookOf,
  type EdgeEncoderOptions,
  type EdgePicture,
  type PictureLook,
} from './edge-encoder.ts';
import type { Piece } from './plan-pictures.ts';
import { decodeRun, isEncodable, type DecodedPicture } from './run-decoder.ts';

/** Pictures that were encoded for a clip, in order. */
export interface MadePictures {
  /** Number of their description in the list. */
  readonly description: number;
  readonly pictures: readonly MadePicture[];
}

/** A picture that was encoded for a clip. */
export interface MadePicture {
  readonly data: Uint8Array;
  /** Ticks of the source. */
  readonly at: number;
  readonly isSync: boolean;
}

/** How often black is begun anew, in ticks: so that players need not read far for the next picture. */
const BLACK_STEP = 2 * 90_000;
/** All that is made is held in memory until the movie is written. */
const MOST_MADE_BYTES = 512 << 20;

/** What making pictures works with. */
export interface MakerDeps {
  readonly codec: string;
  readonly tracks: ClipTracks;
  /** Init segments that the clip's source has. */
  readonly inits: readonly number[];
  readonly bytes: SegmentBytes;
  readonly descriptions: DescriptionList;
  readonly progress: Progress;
}

/** Makes the pictures of a clip that cannot be copied. */
export class PictureMaker {
  readonly #deps: MakerDeps;
  readonly #codec: 'avc1' | 'hvc1' | null;
  readonly #setId: number;
  readonly #blacks = new Map<number, { readonly data: Uint8Array; readonly description: number }>();
  #madeBytes = 0;

  constructor(deps: MakerDeps) {
    this.#deps = deps;
    const { codec, tracks, inits } = deps;
    this.#codec = isEncodable(codec) ? codec : null;
    this.#setId = codec === 'avc1' ? unusedSetId(inits.map((init) => sampleEntryOf(tracks.initOf(init, 'video')))) : 0;
  }

  /** Decodes what a piece needs and encodes what is shown of it. @throws corrupt_media when nothing decodes */
  async encode(piece: Extract<Piece, { kind: 'encode' }>, fraction: number): Promise<MadePictures> {
    const times: number[] = [];
    const coded: EdgePicture[] = [];
    let encoder: EdgeEncoder | undefined;
    using converter = new PixelConverter();
    try {
      for await (const { frame, at } of this.#shown(piece)) {
        encoder ??= new EdgeEncoder(this.#optionsFor(piece.init, lookOf(frame)));
        times.push(at);
        coded.push(...encoder.encode(fitted(frame, encoder.look, converter)));
        await this.#deps.progress.at(fraction);
      }
      if (encoder === undefined) {
        throw new ZoetropeError('corrupt_media', 'No picture at an edge of the clip decodes. Choose another stretch.');
      }
      coded.push(...encoder.finish());
      return this.#made(coded, times, encoder.entry);
    } finally {
      encoder?.[Symbol.dispose]();
    }
  }

  /** Black pictures from `start` to `end`, in the look of what that init segment describes. */
  async black({ init, start, end }: Extract<Piece, { kind: 'black' }>, sample: SourcePicture): Promise<MadePictures> {
    const { data, description } = await this.#blackOf(init, sample);
    const pictures: MadePicture[] = [];
    for (let at = start; at < end; at += BLACK_STEP) pictures.push({ data, at, isSync: true });
    return { description, pictures };
  }

  async #blackOf(
    init: number,
    sample: SourcePicture,
  ): Promise<{ readonly data: Uint8Array; readonly description: number }> {
    const known = this.#blacks.get(init);
    if (known !== undefined) return known;
    const pictures = decodeRun(this.#deps.tracks.initOf(init, 'video'), this.#encodable(), [sample], this.#deps.bytes);
    for await (const { frame } of pictures) {
      const { data, entry } = encodeBlack(this.#optionsFor(init, lookOf(frame)));
      const black = { data, description: this.#deps.descriptions.add(entry) };
      this.#blacks.set(init, black);
      return black;
    }
    throw new ZoetropeError('corrupt_media', 'A picture beside a gap does not decode. Ask for gaps to be skipped.');
  }

  /** What is seen from the piece's start on, the first of it from its start. */
  async *#shown(piece: Extract<Piece, { kind: 'encode' }>): AsyncGenerator<DecodedPicture, void, void> {
    const { start, end } = piece;
    let before: Frame | null = null;
    let hasBegun = false;
    try {
      for await (const { frame, at } of this.#decoded(piece)) {
        if (at >= end) break;
        if (at <= start) {
          before?.free();
          before = frame.clone();
          continue;
        }
        if (!hasBegun) yield { frame: before ?? frame, at: start };
        if (hasBegun || before !== null) yield { frame, at };
        hasBegun = true;
      }
      if (!hasBegun && before !== null) yield { frame: before, at: start };
    } finally {
      before?.free();
    }
  }

  /** All pictures of a piece's runs, in the order in which they are shown. */
  async *#decoded({ init, runs }: Extract<Piece, { kind: 'encode' }>): AsyncGenerator<DecodedPicture, void, void> {
    const { tracks, bytes } = this.#deps;
    const codec = this.#encodable();
    const sources = runs.map((groups) =>
      decodeRun(tracks.initOf(groups[0]?.init ?? init, 'video'), codec, picturesOf(groups), bytes),
    );
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      let next: number | undefined;
      for (const [index, { done, value }] of heads.entries()) {
        if (done === true) continue;
        const chosen = next === undefined ? undefined : heads[next]?.value;
        if (chosen === undefined || value.at < chosen.at) next = index;
      }
      const head = next === undefined ? undefined : heads[next];
      const source = next === undefined ? undefined : sources[next];
      if (next === undefined || head?.value === undefined || source === undefined) return;
      yield head.value;
      heads[next] = await source.next();
    }
  }

  #made(coded: readonly EdgePicture[], times: readonly number[], entry: Uint8Array): MadePictures {
    if (coded.length !== times.length) {
      throw new ZoetropeError('engine_failed', `The encoder gave ${coded.length} pictures of ${times.length}.`);
    }
    this.#madeBytes += coded.reduce((sum, { data }) => sum + data.length, 0);
    if (this.#madeBytes > MOST_MADE_BYTES) {
      throw new ZoetropeError(
        'payload_too_large',
        `More than ${MOST_MADE_BYTES} bytes of this clip would have to be encoded again. Ask for mode "keyframes", or a shorter stretch.`,
      );
    }
    const pictures = coded.map(({ data, isSync }, index) => ({ data, isSync, at: times[index] ?? 0 }));
    return { description: this.#deps.descriptions.add(entry), pictures };
  }

  #optionsFor(init: number, look: PictureLook): EdgeEncoderOptions {
    const info = this.#deps.tracks.video(init);
    const profileIdc = info.codec === 'avc1' ? parseSps(info.sps).profileIdc : null;
    return { look, codec: this.#encodable(), profileIdc, setId: this.#setId };
  }

  #encodable(): 'avc1' | 'hvc1' {
    if (this.#codec !== null) return this.#codec;
    throw new ZoetropeError(
      'unsupported_media',
      `Pictures in ${this.#deps.codec} are only copied. Ask for mode "keyframes" and for gaps to be skipped.`,
    );
  }
}

/** Of the groups in decoding order. */
function picturesOf(groups: readonly PictureGroup[]): readonly SourcePicture[] {
  return groups.flatMap(({ pictures }) => pictures);
}

/** A picture in the size and format that an encoder was opened for: streams may change inside a run. */
function fitted(frame: Frame, look: PictureLook, converter: PixelConverter): Frame {
  const isFit = frame.width === look.width && frame.height === look.height && frame.format === look.format;
  return isFit ? frame : converter.convert(frame, look.format, look.width, look.height);
}
