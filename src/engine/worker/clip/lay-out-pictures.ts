import { decodeOrderSamples, type TimedPacket } from '../../../packager/cmaf/decode-order.ts';
import type { MovieTrack, SampleEntry, SegmentTable } from '../../../packager/mp4/movie-track.ts';
import type { Block } from './clip-blocks.ts';
import type { DescriptionList } from './clip-descriptions.ts';
import type { Placed } from './clip-sound.ts';
import type { SourcePicture } from './clip-source.ts';
import type { MadePictures, PictureMaker } from './made-pictures.ts';
import type { Piece } from './plan-pictures.ts';

/** A piece with its place in the clip. */
export type PlacedPiece = Piece & Placed;

/** The pictures of a clip as a track of a movie. */
export interface PictureTrack {
  readonly track: Pick<MovieTrack, 'segments' | 'descriptions'>;
  /** By table of the track: the bytes, where they were made. */
  readonly made: readonly (Uint8Array | undefined)[];
  /** By table of the track: the segment that holds the bytes, where they are copied. */
  readonly segments: readonly (number | undefined)[];
  readonly copied: number;
  readonly encoded: number;
}

/** What laying out works with. */
export interface LayOutDeps {
  readonly blocks: readonly Block[];
  readonly maker: PictureMaker;
  readonly descriptions: DescriptionList;
  /** Numbers of the descriptions of the source's pictures, by init segment. */
  readonly ofInit: ReadonlyMap<number, number>;
  /** Called behind each piece with the part that is done. */
  readonly onPiece: (part: number) => Promise<void>;
}

/** Pieces behind each other: what is left out between them takes no time in the clip. */
export function placePieces(pieces: readonly Piece[]): readonly PlacedPiece[] {
  let out = 0;
  return pieces.map((piece) => {
    const placed = { ...piece, out };
    out += piece.end - piece.start;
    return placed;
  });
}

interface Draft {
  readonly description: number;
  readonly segment?: number;
  readonly made?: Uint8Array;
  readonly samples: readonly SampleEntry[];
  readonly at: number;
}

const NO_BYTES = new Uint8Array();

/** Encodes what must be and gives every picture its times in the clip. */
export async function layOutPictures(pieces: readonly PlacedPiece[], deps: LayOutDeps): Promise<PictureTrack> {
  const { maker, descriptions, ofInit, onPiece } = deps;
  const drafts: Draft[] = [];
  let copied = 0;
  let encoded = 0;
  for (const [index, piece] of pieces.entries()) {
    const part = index / pieces.length;
    switch (piece.kind) {
      case 'copy':
        copied += piece.pictures.length;
        drafts.push(copyDraft(piece, ofInit.get(piece.init) ?? 0));
        break;
      case 'encode': {
        const made = await maker.encode(piece, part);
        encoded += made.pictures.length;
        drafts.push(madeDraft(made, piece));
        break;
      }
      case 'black':
        drafts.push(madeDraft(await maker.black(piece, keyframeOf(deps.blocks, piece.init)), piece));
        break;
    }
    await onPiece((index + 1) / pieces.length);
  }
  const { entries, places } = descriptions.finish();
  const used = [...new Set(drafts.map(({ description }) => places[description]?.entry ?? 0))].sort((a, b) => a - b);
  const isAlone = used.length === 1;
  const tables = drafts.map(({ description, samples, at }): SegmentTable => {
    const { entry = 0, prefix } = places[description] ?? {};
    const needed = isAlone ? undefined : prefix;
    return {
      baseMediaDecodeTime: at,
      description: used.indexOf(entry),
      samples: needed === undefined ? samples : samples.map((one) => (one.isSync ? { ...one, prefix: needed } : one)),
    };
  });
  return {
    track: { segments: tables, descriptions: used.map((entry) => entries[entry] ?? NO_BYTES) },
    made: drafts.map(({ made }) => made),
    segments: drafts.map(({ segment }) => segment),
    copied,
    encoded,
  };
}

function copyDraft(piece: Extract<PlacedPiece, { kind: 'copy' }>, description: number): Draft {
  const { pictures, start, end, out } = piece;
  const toOut = (at: number): number => out + Math.max(at, start) - start;
  const packets = pictures.map(({ at, isSync }): TimedPacket => ({ data: NO_BYTES, pts: toOut(at), isSync }));
  const { baseMediaDecodeTime, samples } = decodeOrderSamples(packets, toOut(end));
  const entries = samples.map((sample, index) => entryOf(pictures[index], sample));
  return { description, segment: pictures[0]?.segment ?? 0, samples: entries, at: baseMediaDecodeTime };
}

function madeDraft({ description, pictures }: MadePictures, { start, end, out }: PlacedPiece): Draft {
  const packets = pictures.map(({ at, isSync }): TimedPacket => ({ data: NO_BYTES, pts: out + at - start, isSync }));
  const { baseMediaDecodeTime, samples } = decodeOrderSamples(packets, out + end - start);
  let offset = 0;
  const entries = samples.map((sample, index) => {
    const size = pictures[index]?.data.length ?? 0;
    const entry = entryOf({ offset, size }, sample);
    offset += size;
    return entry;
  });
  const made = Buffer.concat(pictures.map(({ data }) => data));
  return { description, made, samples: entries, at: baseMediaDecodeTime };
}

function entryOf(
  place: Pick<SourcePicture, 'offset' | 'size'> | undefined,
  sample: { readonly duration: number; readonly isSync: boolean; readonly compositionOffset?: number },
): SampleEntry {
  const { duration, isSync, compositionOffset = 0 } = sample;
  return { offset: place?.offset ?? 0, size: place?.size ?? 0, duration, isSync, compositionOffset };
}

/** A keyframe that is described by an init segment: what a gap beside it looks like. */
function keyframeOf(blocks: readonly Block[], init: number): SourcePicture {
  const group = blocks.flatMap(({ groups }) => groups).find((one) => one.init === init);
  const [keyframe] = group?.pictures ?? [];
  if (keyframe === undefined) throw new TypeError(`No picture is described by init segment ${init}.`);
  return keyframe;
}
