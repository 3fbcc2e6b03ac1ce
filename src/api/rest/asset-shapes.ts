import { Type, type Static } from 'typebox';
import type { OutputSpec } from '../../timeline/asset.ts';
import type { MediaDescription } from '../../timeline/media-description.ts';

const time = (description: string) => Type.String({ description, format: 'date-time' });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) => Type.Union([shape, Type.Null()]);

/** Where an asset or an output stands. */
export const WorkStateShape = Type.Union(
  [
    Type.Literal('queued'),
    Type.Literal('probing'),
    Type.Literal('transcoding'),
    Type.Literal('packaging'),
    Type.Literal('ready'),
    Type.Literal('failed'),
    Type.Literal('cancelled'),
  ],
  { description: 'The last three are final.' },
);

const CauseShape = orNull(
  Type.Object(
    { code: Type.String({ description: 'One of the error codes.' }), message: Type.String() },
    { description: 'Why it failed.' },
  ),
);

/** A file that an output consists of. */
export const OutputFileShape = Type.Object({
  name: Type.String(),
  url: Type.String(),
  sizeBytes: Type.Integer(),
  contentType: Type.String(),
});

/** One thing made from an asset. */
export const OutputShape = Type.Object({
  id: Type.String(),
  name: Type.String({ description: '`720p`, `audio-eng`, `poster`, …' }),
  kind: Type.Union([
    Type.Literal('video'),
    Type.Literal('audio'),
    Type.Literal('subtitles'),
    Type.Literal('thumbnails'),
    Type.Literal('storyboard'),
    Type.Literal('download'),
  ]),
  spec: Type.Unsafe<OutputSpec>({ type: 'object', description: 'How it is made: codec, size, rate, times.' }),
  state: WorkStateShape,
  cause: CauseShape,
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  etaSeconds: orNull(Type.Number({ description: 'Until it is ready, by its pace so far.' })),
  cpuSeconds: Type.Number({ description: 'Of all its tasks, tries that failed included.' }),
  peakMemoryBytes: Type.Integer({ description: 'Of the largest of its tasks.' }),
  wallSeconds: Type.Number({ description: 'The sum over its tasks.' }),
  startedAt: orNull(time('When its first task began.')),
  endedAt: orNull(time('When it became ready, failed or cancelled.')),
  files: Type.Array(OutputFileShape, { description: 'Besides segments: pictures, captions, the MP4.' }),
});

/** Where to play an asset and fetch what belongs to it. */
export const PlaybackShape = Type.Object({
  hls: Type.String(),
  dash: orNull(Type.String({ description: 'Null while it is encrypted.' })),
  poster: orNull(Type.String()),
  storyboardVtt: orNull(Type.String()),
  storyboardJson: orNull(Type.String()),
  download: orNull(Type.String({ description: 'One MP4.' })),
});

/** An asset as the API shows it. */
export const AssetShape = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  name: Type.String(),
  referenceId: orNull(Type.String()),
  state: WorkStateShape,
  cause: CauseShape,
  priority: Type.Integer(),
  source: Type.Union([
    Type.Object({ kind: Type.Literal('upload'), filename: orNull(Type.String()), sizeBytes: Type.Integer() }),
    Type.Object({ kind: Type.Literal('object'), objectKey: Type.String() }),
    Type.Object({ kind: Type.Literal('url'), url: Type.String() }),
  ]),
  media: Type.Unsafe<MediaDescription | null>({
    type: ['object', 'null'],
    description: 'What the file holds; null until it was looked into.',
  }),
  durationMs: orNull(Type.Number()),
  progress: Type.Number({ minimum: 0, maximum: 1, description: 'Over all outputs, weighted by their work.' }),
  speed: orNull(
    Type.Number({ description: 'Seconds of media that are done in a second, since it began. Null before that.' }),
  ),
  etaSeconds: orNull(Type.Number({ description: 'Until it is ready, by its pace so far.' })),
  createdAt: time('When it was made.'),
  startedAt: orNull(time('When work on it began.')),
  playableAt: orNull(time('When its first rendition could be played.')),
  endedAt: orNull(time('When it became ready, failed or cancelled.')),
  request: Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    description: 'What was asked for, defaults filled in.',
  }),
  playback: Type.Union([PlaybackShape, Type.Null()], { description: 'Null until something can be played.' }),
  outputs: Type.Array(OutputShape),
});

/** A change of an asset. */
export const AssetPatchShape = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        pattern: '^[^\\p{Cc}\\p{Cs}]*$',
        description: '1–200 characters without control characters.',
      }),
    ),
    priority: Type.Optional(Type.Integer({ minimum: -10, maximum: 10 })),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ priority: 5 }] },
);

/** A resumable upload as it stands. */
export const UploadShape = Type.Object({
  id: Type.String(),
  filename: orNull(Type.String()),
  sizeBytes: Type.Integer(),
  offsetBytes: Type.Integer({ description: 'How many bytes have arrived.' }),
  expiresAt: time('When it is given up, unless bytes arrive.'),
  assetId: orNull(Type.String({ description: 'The asset that it became; null until then.' })),
});

/** An asset, as TypeScript sees it. */
export type AssetJson = Static<typeof AssetShape>;
/** An output, as TypeScript sees it. */
export type OutputJson = Static<typeof OutputShape>;
/** A resumable upload, as TypeScript sees it. */
export type UploadJson = Static<typeof UploadShape>;
