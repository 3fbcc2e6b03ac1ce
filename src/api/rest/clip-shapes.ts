import { Type, type Static } from 'typebox';
import { formatRfc3339 } from '../../base/time.ts';
import type { Clip } from '../../timeline/clip.ts';
import { linkOf, timeJson } from './json.ts';
import { text } from './shapes.ts';

const time = (description: string) =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-20T10:30:00.250Z'] });
const orNull = <T extends ReturnType<typeof Type.String>>(shape: T) => Type.Union([shape, Type.Null()]);
const modes = Type.Union([Type.Literal('exact'), Type.Literal('keyframes')], {
  description:
    '`exact`: cut to the frame; only pictures around the ends are encoded again. `keyframes`: copied, from the keyframe at or before `from`.',
});
const gapRules = Type.Union([Type.Literal('skip'), Type.Literal('black')], {
  description:
    'Stretches without pictures are left out, or are black and silent for as long as they last, so that time in the clip is wall time.',
});

/** The longest life that a share link can have: that of a playback token. */
const MAX_SHARE_SECONDS = 604_800;
const YEAR_SECONDS = 31_536_000;

/** A clip to be made. */
export const NewClipShape = Type.Object(
  {
    from: Type.Optional(time('Where it begins. May be left out with `holdId`.')),
    to: Type.Optional(time('Where it ends, exclusive; not in the future. May be left out with `holdId`.')),
    holdId: Type.Optional(Type.String({ description: 'A recording or archive of the stream, to cut from.' })),
    mode: Type.Optional({ ...modes, default: 'exact' }),
    gaps: Type.Optional({ ...gapRules, default: 'skip' }),
    speed: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 1000,
        default: 1,
        description: 'Above 1: pictures pass so many times as fast, and there is no sound.',
      }),
    ),
    name: Type.Optional(text(200)),
    expiresIn: Type.Optional(
      Type.Number({ minimum: 1, maximum: 100 * YEAR_SECONDS, description: 'Seconds until it goes by itself.' }),
    ),
    expiresAt: Type.Optional(time('When it goes by itself, instead of `expiresIn`.')),
  },
  { additionalProperties: false },
);

/** A clip. */
export const ClipShape = Type.Object({
  id: Type.String(),
  streamId: Type.String(),
  holdId: orNull(Type.String({ description: 'The recording or archive that it was cut from.' })),
  name: Type.String(),
  from: time('As asked for.'),
  to: time('As asked for; exclusive.'),
  mode: modes,
  gaps: gapRules,
  speed: Type.Number(),
  state: Type.Union(
    [
      Type.Literal('queued'),
      Type.Literal('working'),
      Type.Literal('ready'),
      Type.Literal('failed'),
      Type.Literal('cancelled'),
    ],
    { description: 'The last three are final.' },
  ),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  cause: Type.Union([
    Type.Object({ code: Type.String(), message: Type.String() }, { description: 'Why it, or its last try, failed.' }),
    Type.Null(),
  ]),
  startsAt: orNull(time('The wall time of its first picture.')),
  durationSeconds: Type.Union([Type.Number(), Type.Null()]),
  sizeBytes: Type.Union([Type.Integer(), Type.Null()]),
  hasSound: Type.Union([Type.Boolean(), Type.Null()]),
  copiedPictures: Type.Union([Type.Integer({ description: 'Taken over as they were.' }), Type.Null()]),
  encodedPictures: Type.Union([Type.Integer({ description: 'Encoded again.' }), Type.Null()]),
  createdAt: time('When it was asked for.'),
  endedAt: orNull(time('When it became ready, failed or cancelled.')),
  expiresAt: orNull(time('When it goes by itself.')),
  url: orNull(Type.String({ description: 'The file; null until it is ready.' })),
});

/** A share link to be made. */
export const NewShareShape = Type.Object(
  {
    expiresIn: Type.Number({
      minimum: 1,
      maximum: MAX_SHARE_SECONDS,
      description: 'Seconds that the link works, and no longer than the clip is there.',
    }),
  },
  { additionalProperties: false },
);

/** A share link. */
export const ShareShape = Type.Object({
  url: Type.String({ description: 'The file, for whoever has this link.' }),
  expiresAt: time('When it stops working.'),
});

/** A clip, as TypeScript sees it. */
export type ClipJson = Static<typeof ClipShape>;

/** A clip as the API shows it. */
export function clipJson(clip: Clip, publicUrl: string | undefined): ClipJson {
  const { id, spec, file, state } = clip;
  return {
    id,
    streamId: clip.streamId,
    holdId: clip.sourceHoldId,
    name: clip.name,
    from: formatRfc3339(spec.fromMs),
    to: formatRfc3339(spec.toMs),
    mode: spec.mode,
    gaps: spec.gaps,
    speed: spec.speed,
    state,
    progress: clip.progress,
    cause: clip.cause === null ? null : { ...clip.cause },
    startsAt: timeJson(file?.startMs ?? null),
    durationSeconds: file === null ? null : file.durationMs / 1000,
    sizeBytes: file?.sizeBytes ?? null,
    hasSound: file?.hasSound ?? null,
    copiedPictures: file?.copiedPictures ?? null,
    encodedPictures: file?.encodedPictures ?? null,
    createdAt: timeJson(clip.createdAtMs),
    endedAt: timeJson(clip.endedAtMs),
    expiresAt: timeJson(clip.expiresAtMs),
    url: state === 'ready' ? linkOf(`/v1/clips/${id}/file`, publicUrl) : null,
  };
}
