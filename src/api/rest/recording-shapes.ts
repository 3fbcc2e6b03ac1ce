import { Type, type Static } from 'typebox';
import { text } from './shapes.ts';

const time = (description: string) =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-20T10:30:00.250Z'] });
const optionalTime = (description: string) => Type.Union([time(description), Type.Null()]);

/** Most entries of a recording's metadata. */
export const MAX_METADATA_ENTRIES = 32;

const metadata = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
  Type.String({ maxLength: 500, pattern: '^[^\\p{Cc}\\p{Cs}]*$' }),
  {
    additionalProperties: false,
    maxProperties: MAX_METADATA_ENTRIES,
    description: `Texts by name: at most ${MAX_METADATA_ENTRIES}. Names: 1–64 of A–Z, a–z, 0–9, dot, underscore and hyphen; texts: at most 500 characters.`,
    examples: [{ ticket: 'INC-42' }],
  },
);

/** A recording as the API shows it. */
export const RecordingShape = Type.Object({
  id: Type.String(),
  streamId: Type.String(),
  title: Type.String(),
  metadata,
  from: time('Start.'),
  to: optionalTime('End, exclusive; null while it runs.'),
  until: optionalTime('When it is to stop by itself, while it runs.'),
  state: Type.Union([Type.Literal('recording'), Type.Literal('stopped')]),
  durationSeconds: Type.Number({ description: 'From its start to its end, or to now.' }),
  coveredSeconds: Type.Number({ description: 'Of these, how many have pictures.' }),
  sizeBytes: Type.Integer({ description: 'Of its segments. What recordings share counts in each.' }),
  segmentCount: Type.Integer(),
  gapCount: Type.Integer({ description: 'Stretches without pictures between those with.' }),
  remoteSegments: Type.Integer({
    description:
      'Of its segments, how many are still at the edge of its stream. They are on their way while it is connected.',
  }),
  createdAt: time('When it was started.'),
  stoppedAt: optionalTime('When it was stopped, by the server’s clock.'),
  url: Type.String({ description: 'Its playlist: it grows while the recording runs, and is complete afterwards.' }),
});

/** A recording to be made. */
export const NewRecordingShape = Type.Union([
  Type.Object(
    {
      title: Type.Optional(text(200)),
      from: Type.Optional(
        Type.Union([time('Start, as far back as the timeline goes.'), Type.Literal('now')], { default: 'now' }),
      ),
      until: Type.Optional(optionalTime('When it is to stop by itself.')),
      metadata: Type.Optional(metadata),
    },
    { additionalProperties: false, examples: [{ title: 'Delivery', from: '2026-11-20T10:30:00Z' }] },
  ),
  Type.Null(),
]);

/** A change of a recording. */
export const RecordingPatchShape = Type.Object(
  { title: Type.Optional(text(200)), metadata: Type.Optional(metadata) },
  { additionalProperties: false, examples: [{ title: 'Delivery' }] },
);

/** How a recording is to be stopped. */
export const StopRecordingShape = Type.Union([
  Type.Object(
    { at: Type.Optional(time('Its end. Default: now.')) },
    { additionalProperties: false, examples: [{ at: '2026-11-20T10:45:00Z' }] },
  ),
  Type.Null(),
]);

/** A link to be made. */
export const NewShareShape = Type.Object(
  { expiresIn: Type.Number({ minimum: 1, maximum: 604_800, description: 'Seconds for which the link works.' }) },
  { additionalProperties: false, examples: [{ expiresIn: 3600 }] },
);

/** A link that plays one thing for a while. */
export const ShareShape = Type.Object({
  url: Type.String({ description: 'The playlist, with a token.' }),
  expiresAt: time('When it stops working.'),
});

/** A recording, as TypeScript sees it. */
export type RecordingJson = Static<typeof RecordingShape>;
