import { Type, type Static } from 'typebox';

/** Most of what one asset may ask for. */
export const ASSET_LIMITS = {
  videoOutputs: 20,
  thumbnailSets: 10,
  /** Over all sets. */
  thumbnailTimes: 100,
} as const;

/** What a video codec's encoder takes: its scale of constant quality, and its names for its speeds. */
export const CODEC_RULES = {
  h264: { maxCrf: 51, presets: 'ultrafast superfast veryfast faster fast medium slow slower veryslow'.split(' ') },
  hevc: { maxCrf: 51, presets: 'ultrafast superfast veryfast faster fast medium slow slower veryslow'.split(' ') },
  vp9: { maxCrf: 63, presets: '0 1 2 3 4 5 6 7 8'.split(' ') },
  av1: { maxCrf: 63, presets: '0 1 2 3 4 5 6 7 8 9 10 11 12 13'.split(' ') },
} as const;

const strict = { additionalProperties: false } as const;
const freeText = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\p{Cc}\\p{Cs}]*$', description });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) => Type.Union([shape, Type.Null()]);
const httpUrl = (description: string) => Type.String({ minLength: 1, maxLength: 2048, description });

/** A video output as clients ask for it. */
export const VideoOptionsShape = Type.Object(
  {
    codec: Type.Optional(
      Type.Union([Type.Literal('h264'), Type.Literal('hevc'), Type.Literal('vp9'), Type.Literal('av1')], {
        default: 'h264',
      }),
    ),
    heightPx: Type.Optional(
      Type.Integer({
        minimum: 64,
        maximum: 4320,
        description: 'Of the short side, as in 720p; never more than the source has. Default: the source’s.',
      }),
    ),
    bitrateKbps: Type.Optional(Type.Integer({ minimum: 32, maximum: 200_000, description: 'Average aimed at.' })),
    crf: Type.Optional(
      Type.Number({ minimum: 0, maximum: 63, description: 'Constant quality instead: 0–51, for VP9 and AV1 0–63.' }),
    ),
    preset: Type.Optional(
      Type.String({
        maxLength: 20,
        description: 'Speed: ultrafast to veryslow; for VP9 0–8, for AV1 0–13 (more is faster).',
      }),
    ),
  },
  strict,
);

/** Pictures at given times, as clients ask for them. */
export const ThumbnailsOptionsShape = Type.Object(
  {
    timesSeconds: Type.Array(Type.Number({ minimum: 0, maximum: 864_000 }), {
      minItems: 1,
      maxItems: ASSET_LIMITS.thumbnailTimes,
      description: 'From the start; beyond the end is the last picture.',
    }),
    widthPx: Type.Optional(
      Type.Integer({
        minimum: 16,
        maximum: 8192,
        description: 'Never more than the source has, which is the default.',
      }),
    ),
  },
  strict,
);

/** A picture laid over the video, as clients ask for it. */
export const WatermarkOptionsShape = Type.Object(
  {
    objectKey: Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'A PNG, JPEG or WebP object below `inputs/` and the tenant’s name.',
    }),
    position: Type.Optional(
      Type.Union(
        [
          Type.Literal('top-left'),
          Type.Literal('top-right'),
          Type.Literal('bottom-left'),
          Type.Literal('bottom-right'),
          Type.Literal('center'),
        ],
        { default: 'bottom-right' },
      ),
    ),
    size: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.15,
        description: 'Its width as a part of the video’s.',
      }),
    ),
    opacity: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 1 })),
    margin: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 0.5,
        default: 0.02,
        description: 'Distance from the edges as a part of the video’s width.',
      }),
    ),
  },
  strict,
);

/** What is to be made of a file. */
export const OutputOptionsShape = Type.Object(
  {
    video: Type.Optional(
      orNull(
        Type.Array(VideoOptionsShape, {
          minItems: 1,
          maxItems: ASSET_LIMITS.videoOutputs,
          description: 'Left out: the ladder up to the source’s size.',
        }),
      ),
    ),
    audioBitrateKbps: Type.Optional(
      orNull(Type.Integer({ minimum: 16, maximum: 512, description: 'Of each audio rendition.' })),
    ),
    captions: Type.Optional(Type.Boolean({ default: true, description: 'Text captions of the file as WebVTT.' })),
    thumbnails: Type.Optional(Type.Array(ThumbnailsOptionsShape, { maxItems: ASSET_LIMITS.thumbnailSets })),
    poster: Type.Optional(Type.Boolean({ default: true })),
    storyboard: Type.Optional(Type.Boolean({ default: true, description: 'Small pictures for hovering.' })),
    download: Type.Optional(Type.Boolean({ default: false, description: 'One MP4 of the best H.264 output.' })),
    watermark: Type.Optional(orNull(WatermarkOptionsShape)),
    encryption: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('aes-128')], {
        default: 'none',
        description: '`aes-128` encrypts HLS segments; there is no DASH then.',
      }),
    ),
  },
  strict,
);

const OPTIONS = {
  name: Type.Optional(orNull(freeText(200, 'For people. Default: the file’s name.'))),
  referenceId: Type.Optional(orNull(freeText(200, 'Your own id for it; need not be unique.'))),
  priority: Type.Optional(
    Type.Integer({ minimum: -10, maximum: 10, default: 0, description: 'Work of a higher one goes first.' }),
  ),
  webhookUrl: Type.Optional(orNull(httpUrl('Called for every event of this asset, besides the webhook endpoints.'))),
  tenant: Type.Optional(freeText(200, 'Only for admin keys and open servers; else the key’s own.')),
  outputs: Type.Optional(OutputOptionsShape),
};

/** Everything that can be said of an asset besides where its file is. */
export const AssetOptionsShape = Type.Object(OPTIONS, strict);

/** An asset to be made from a file that lies somewhere already. */
export const NewAssetShape = Type.Object(
  {
    source: Type.Union([
      Type.Object({ url: httpUrl('http: or https:; fetched by the server.') }, strict),
      Type.Object(
        {
          objectKey: Type.String({
            minLength: 1,
            maxLength: 512,
            description: 'An object below `inputs/` and the tenant’s name.',
          }),
        },
        strict,
      ),
    ]),
    ...OPTIONS,
  },
  { ...strict, examples: [{ source: { url: 'https://media.example.org/film.mp4' }, name: 'Film' }] },
);

/** What is to be made of a file, as TypeScript sees it. */
export type OutputOptions = Static<typeof OutputOptionsShape>;
/** Everything that can be said of an asset besides where its file is, as TypeScript sees it. */
export type AssetOptions = Static<typeof AssetOptionsShape>;
