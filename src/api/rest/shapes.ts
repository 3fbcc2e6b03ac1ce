import { Type, type Static } from 'typebox';
import { LadderSettingShape } from './ladder-shapes.ts';

const time = (description: string): ReturnType<typeof Type.String> =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-20T10:30:00.250Z'] });
/** Free text from outside: 1 to `maxLength` characters, no control characters, no half of a surrogate pair. */
export const text = (maxLength: number): ReturnType<typeof Type.String> =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: '^[^\\p{Cc}\\p{Cs}]*$',
    description: `1–${maxLength} characters without control characters.`,
  });
const optionalTime = (description: string) => Type.Union([time(description), Type.Null()]);

/** A page of anything. */
export const pageOf = <T extends ReturnType<typeof Type.Object>>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) });

/** RFC 9457. `code` is one of the error catalogue's. */
export const ProblemShape = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'What was wrong, the value got, and the remedy.' }),
  code: Type.String(),
  retryable: Type.Boolean(),
  requestId: Type.String(),
  errors: Type.Optional(
    Type.Array(Type.Object({ field: Type.String(), detail: Type.String() }), {
      description: 'Each fault of a request that is not valid.',
    }),
  ),
});

/** Settings of a stream; on a stream: those that were set for it; under `effective`: all. */
export const StreamSettingsShape = Type.Object(
  {
    framesPerSegment: Type.Integer({ minimum: 1, maximum: 600 }),
    maxSegmentWaitSeconds: Type.Number({ minimum: 0.1, maximum: 3600 }),
    retentionHours: Type.Number({ exclusiveMinimum: 0, maximum: 87_600 }),
    offlineAfterSeconds: Type.Number({ minimum: 0.1, maximum: 86_400 }),
    minArchiveDurationSeconds: Type.Number({ minimum: 0 }),
    maxSessionHours: Type.Number({ exclusiveMinimum: 0, maximum: 720 }),
    archiveRetentionDays: Type.Number({ exclusiveMinimum: 0, maximum: 36_500 }),
    gapToleranceSeconds: Type.Union([Type.Number({ minimum: 0.001 }), Type.Null()]),
    futureToleranceSeconds: Type.Number({ minimum: 0 }),
    reconnectWindowSeconds: Type.Number({ minimum: 1, maximum: 31_536_000 }),
    clockToleranceSeconds: Type.Number({ minimum: 0.02, maximum: 60 }),
    frameIntervalSeconds: Type.Number({ minimum: 0.001, maximum: 3600 }),
    crf: Type.Integer({ minimum: 0, maximum: 51 }),
    displaySpeed: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    overlay: Type.Union([
      Type.Object(
        {
          position: Type.Union([
            Type.Literal('top-left'),
            Type.Literal('top-right'),
            Type.Literal('bottom-left'),
            Type.Literal('bottom-right'),
          ]),
          sizePx: Type.Integer({ minimum: 7, maximum: 400 }),
          timeZone: Type.String(),
        },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
    ladder: LadderSettingShape,
  },
  { additionalProperties: false },
);

/** An encoder, as the API shows it. */
const SourceShape = Type.Object({
  container: Type.Union([Type.Literal('ts'), Type.Literal('fmp4')]),
  codecs: Type.String(),
  width: Type.Integer(),
  height: Type.Integer(),
  frameRate: Type.Union([Type.Number(), Type.Null()]),
  bitsPerSecond: Type.Integer(),
  clock: Type.Union([Type.Literal('programDateTime'), Type.Literal('arrival')], {
    description: 'Where wall time comes from: EXT-X-PROGRAM-DATE-TIME, or the time of arrival, carried by media time.',
  }),
  driftMs: Type.Number({
    description:
      'How far the wall clock has moved against the media clock since both were tied; positive: media runs slow.',
  }),
  epochs: Type.Integer(),
  segments: Type.Integer(),
  gaps: Type.Integer(),
  late: Type.Integer(),
  duplicates: Type.Integer(),
  rejected: Type.Integer(),
  lastRejection: Type.Union([
    Type.Object({ at: time('When.'), name: Type.String(), code: Type.String(), message: Type.String() }),
    Type.Null(),
  ]),
});

/** A stream as the API shows it. */
export const StreamShape = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  kind: Type.Union([Type.Literal('frames'), Type.Literal('push'), Type.Literal('chunks'), Type.Literal('asset')]),
  name: Type.String(),
  deviceId: Type.Union([Type.String(), Type.Null()]),
  state: Type.Union([Type.Literal('online'), Type.Literal('offline'), Type.Literal('new')], {
    description: '`new`: nothing has arrived yet.',
  }),
  lastCapturedAt: optionalTime('Capture time of the newest frame.'),
  lastReceivedAt: optionalTime('When the newest frame arrived.'),
  clockSkewMs: Type.Union([Type.Number(), Type.Null()], {
    description: 'Arrival minus capture of the newest frame: the source clock’s lag plus the way here.',
  }),
  settings: Type.Partial(StreamSettingsShape),
  effective: StreamSettingsShape,
  endedAt: optionalTime(
    'When a pushed stream was ended, or had stayed away for `reconnectWindowSeconds`; its playlists have EXT-X-ENDLIST.',
  ),
  source: Type.Union([SourceShape, Type.Null()], {
    description: 'The encoder behind a pushed stream, as of its newest segment.',
  }),
  createdAt: time('When it was made.'),
  urls: Type.Object({
    master: Type.String(),
    live: Type.String(),
    dvr: Type.String(),
    latest: Type.String(),
  }),
});

/** A stream to be made. */
export const NewStreamShape = Type.Object(
  {
    name: text(200),
    tenant: Type.Optional(text(200)),
    deviceId: Type.Optional(Type.Union([text(200), Type.Null()])),
    kind: Type.Optional(
      Type.Union([Type.Literal('frames'), Type.Literal('push'), Type.Literal('chunks')], { default: 'frames' }),
    ),
    settings: Type.Optional(Type.Partial(StreamSettingsShape, { additionalProperties: false })),
  },
  { additionalProperties: false, examples: [{ name: 'North gate', deviceId: 'camera-1' }] },
);

/** A change of settings: null goes back to the default, except where null is a value: then it is that. */
export const SettingsPatchShape = Type.Unsafe<SettingsPatch>(
  Type.Object(
    Object.fromEntries(
      Object.entries(StreamSettingsShape.properties).map(([name, shape]) => [
        name,
        Type.Optional(Type.Union([shape, Type.Null()])),
      ]),
    ),
    { additionalProperties: false },
  ),
);

/** A change of settings, as TypeScript sees it. */
export type SettingsPatch = {
  readonly [K in keyof Static<typeof StreamSettingsShape>]?: Static<typeof StreamSettingsShape>[K] | null;
};

/** A change of a stream. */
export const StreamPatchShape = Type.Object(
  { name: Type.Optional(text(200)), settings: Type.Optional(SettingsPatchShape) },
  { additionalProperties: false, examples: [{ name: 'North gate', settings: { retentionHours: 48 } }] },
);

/** Answer to a frame. */
export const FrameAcceptedShape = Type.Object({ eventId: Type.String(), streamId: Type.String() });

/** A frame event as it is posted to /v1/events/frames and as it lies in the topic `zoetrope.frames`. */
export const FrameEventShape = Type.Object({
  eventId: text(200),
  clientId: text(200),
  deviceId: text(200),
  timestamp: time('Capture time.'),
  framePath: Type.String({
    minLength: 1,
    maxLength: 1024,
    description:
      'An absolute path below one of ZOETROPE_FRAME_ROOTS, or a key of the object store that starts with `frames/`.',
  }),
  requestId: Type.Optional(Type.Union([Type.String({ maxLength: 200 }), Type.Null()])),
  secondaryKey: Type.Optional(Type.Union([Type.String({ maxLength: 200 }), Type.Null()])),
  location: Type.Optional(Type.Union([Type.Object({ lat: Type.Number(), lon: Type.Number() }), Type.Null()])),
});

/** A stretch with pictures. */
export const StretchShape = Type.Object({
  from: time('Start.'),
  to: time('End, exclusive.'),
  segmentCount: Type.Integer(),
  frameCount: Type.Integer(),
  sizeBytes: Type.Integer(),
});

/** A stretch without. */
export const GapShape = Type.Object({ from: time('Start.'), to: time('End, exclusive.') });

/** A session on the timeline. */
export const SessionShape = Type.Object({
  id: Type.String(),
  from: time('Capture time of its first frame.'),
  to: time('End of its last segment so far.'),
  open: Type.Boolean(),
  endedBy: Type.Union([Type.String(), Type.Null()]),
});

/** A marker. */
export const MarkerShape = Type.Object({
  id: Type.String(),
  streamId: Type.String(),
  at: time('Where it stands.'),
  until: optionalTime('Its end, when it is a range.'),
  label: Type.String(),
  type: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
  createdAt: time('When it was made.'),
});

/** A marker to be made. */
export const NewMarkerShape = Type.Object(
  {
    at: time('Where it stands.'),
    until: Type.Optional(optionalTime('Its end, when it is a range.')),
    label: text(200),
    type: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9._-]{1,64}$',
        description: '1–64 characters: a–z, 0–9, dot, underscore and hyphen.',
        default: 'note',
      }),
    ),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'Any JSON object of at most 4 KiB.' }),
    ),
  },
  { additionalProperties: false },
);

/** An archive: the kept session of a source that went offline. */
export const ArchiveShape = Type.Object({
  id: Type.String(),
  streamId: Type.String(),
  name: Type.String(),
  from: time('Start.'),
  to: time('End, exclusive.'),
  sessionId: Type.Union([Type.String(), Type.Null()]),
  createdAt: time('When it was made.'),
  expiresAt: optionalTime('When it goes by itself.'),
  url: Type.String({ description: 'Its playlist.' }),
});

/** What a timeline holds between two times: the answer of `/v1/streams/{id}/timeline`. */
export const TimelineShape = Type.Object({
  streamId: Type.String(),
  from: time('Start of the answer.'),
  to: time('End of the answer, exclusive.'),
  now: time('The server’s clock.'),
  liveEdge: optionalTime('End of the newest on-time segment.'),
  stretches: Type.Array(StretchShape),
  gaps: Type.Array(GapShape),
  sessions: Type.Array(SessionShape),
  markers: Type.Array(MarkerShape),
  holds: Type.Array(
    Type.Object({
      id: Type.String(),
      kind: Type.String(),
      name: Type.String(),
      from: time('Start.'),
      to: optionalTime('End.'),
    }),
  ),
});

/** One point of a timeline in wall and in media time: the answer of `/v1/streams/{id}/clock`. */
export const ClockShape = Type.Object({
  at: time('Wall time.'),
  pts90k: Type.Integer({ description: 'Media time in the epoch, 1/90,000 s.' }),
  epochId: Type.String(),
  anchorAt: time('Wall time at media time 0 of the epoch.'),
  segmentId: Type.Union([Type.String(), Type.Null()], { description: 'The segment that holds it; null in a gap.' }),
  sequence: Type.Union([Type.Integer(), Type.Null()], {
    description: 'That segment’s media sequence number in `live`.',
  }),
  frameAt: optionalTime('Capture time of the frame shown then.'),
  errorMs: Type.Number({ description: 'Upper bound of the mapping’s error.' }),
});

/** A playback token. */
export const TokenShape = Type.Object({
  token: Type.String({ description: 'For `?token=`.' }),
  expiresAt: time('When it stops working.'),
  url: Type.String({ description: 'The playlist, with the token.' }),
});

/** A playback token to be made. */
export const NewTokenShape = Type.Union([
  Type.Object(
    { ttlSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 604_800, description: 'Its life.' })) },
    { additionalProperties: false },
  ),
  Type.Null(),
]);

/** An event that was given up. */
export const DeadLetterShape = Type.Object({
  code: Type.String({ description: 'One of the error codes.' }),
  cause: Type.String(),
  tries: Type.Integer(),
  event: Type.Unknown({ description: 'The event, as it came.' }),
  diedAt: time('When it was given up.'),
});

/** What a server is and holds: the answer of `/v1/server`. */
export const ServerShape = Type.Object({
  version: Type.String(),
  now: time('The server’s clock.'),
  uptimeSeconds: Type.Number(),
  streams: Type.Integer(),
  segments: Type.Integer(),
  segmentBytes: Type.Integer(),
  freeBytes: Type.Union([Type.Integer(), Type.Null()], { description: 'Null when the object store knows no limit.' }),
  roles: Type.Array(Type.String()),
});

/** What came of health checks: the answer of `/healthz` and `/readyz`. */
export const HealthShape = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('failing')]),
  checks: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.String() })),
});

/** A stream, as TypeScript sees it. */
export type StreamJson = Static<typeof StreamShape>;
/** A timeline, as TypeScript sees it. */
export type TimelineJson = Static<typeof TimelineShape>;
/** A marker, as TypeScript sees it. */
export type MarkerJson = Static<typeof MarkerShape>;
/** An archive, as TypeScript sees it. */
export type ArchiveJson = Static<typeof ArchiveShape>;
/** A frame event, as TypeScript sees it. */
export type FrameEvent = Static<typeof FrameEventShape>;
