import { Type, type Static } from 'typebox';
import { ZoetropeError } from '../../base/errors.ts';
import type { LadderSetting } from '../../timeline/ladder.ts';
import type { StreamKind } from '../../timeline/stream.ts';

const time = (description: string) =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-20T10:30:00.250Z'] });
const optionalTime = (description: string) => Type.Union([time(description), Type.Null()]);

const MAX_RUNGS = 6;

/** The setting `ladder` as the API writes it. */
export const LadderSettingShape = Type.Union(
  [
    Type.Literal('auto'),
    Type.Array(
      Type.Object(
        {
          height: Type.Integer({ minimum: 16, maximum: 4320, description: 'Pixels of the shorter side.' }),
          videoKbps: Type.Optional(
            Type.Integer({
              minimum: 20,
              maximum: 100_000,
              description:
                'Thousands of bits a second of the pictures. Default: by quality, with a ceiling for the height.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_RUNGS },
    ),
    Type.Null(),
  ],
  {
    description:
      'Of pushed streams: what is encoded below the pushed quality. `auto`: up to three usual sizes. Rungs that are not smaller than the source are not made. Null: nothing.',
  },
);

/** A live ladder as the API shows it. */
export const LadderShape = Type.Object({
  rungs: Type.Array(
    Type.Object({
      name: Type.String({ description: '`rendition` of playlists.' }),
      width: Type.Integer(),
      height: Type.Integer(),
      edge: optionalTime('Where its newest segment ends.'),
      lagSeconds: Type.Union([Type.Number(), Type.Null()], { description: 'How far it is behind the source.' }),
    }),
  ),
  made: Type.Integer({ description: 'Segments of the source that were encoded to all rungs.' }),
  missed: Type.Integer({
    description:
      'Segments of the source without rungs, which are gaps there: they did not encode, or the server was too slow.',
  }),
  lastFailure: Type.Union([
    Type.Object({ at: time('When.'), segmentId: Type.String(), code: Type.String(), message: Type.String() }),
    Type.Null(),
  ]),
});

/** The setting `ladder` as the API writes it. */
export type LadderSettingJson = Static<typeof LadderSettingShape>;

/** The setting of what the API was sent. @throws invalid_argument when two rungs have one height */
export function ladderFromJson(json: LadderSettingJson): LadderSetting | null {
  if (json === null || json === 'auto') return json;
  const heights = json.map(({ height }) => height);
  const twice = heights.find((height, index) => heights.indexOf(height) !== index);
  if (twice !== undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      `settings.ladder must have rungs of different heights, for a rung is named by it. Got ${twice} twice.`,
    );
  }
  return json.map(({ height, videoKbps }) => ({ height, videoKbps: videoKbps ?? null }));
}

/** What the API sends of a setting. */
export function ladderToJson(setting: LadderSetting | null): LadderSettingJson {
  if (setting === null || setting === 'auto') return setting;
  return setting.map(({ height, videoKbps }) => ({ height, ...(videoKbps === null ? {} : { videoKbps }) }));
}

/** Refuses a ladder for a stream of a kind that nothing is made from. @throws invalid_argument */
export function checkLadderKind(kind: StreamKind, ladder: LadderSetting | null | undefined): void {
  if ((ladder ?? null) === null || kind === 'push' || kind === 'chunks') return;
  throw new ZoetropeError(
    'invalid_argument',
    `settings.ladder is for streams that encoders push (kind push or chunks). This one is of kind ${kind}; leave ladder out.`,
  );
}

/** A live ladder as the API shows it. */
export type LadderJson = Static<typeof LadderShape>;
