import { Type, type Static } from 'typebox';
import { LONGEST_SYNC_WAIT_MS, MOST_ROWS } from '../../edge/protocol.ts';
import { text } from './shapes.ts';

const time = (description: string) =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-20T10:30:00.250Z'] });
const orNull = <T extends ReturnType<typeof Type.Number>>(shape: T) => Type.Union([shape, Type.Null()]);
/** A wall time: what a JavaScript date can say. */
const wall = Type.Number({ minimum: -8_640_000_000_000_000, maximum: 8_640_000_000_000_000 });
const count = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const session = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'What the registration answered.',
});
const idText = Type.String({ minLength: 1, maxLength: 50 });
const exactly = { additionalProperties: false } as const;

/** Most frames of one segment. */
const MOST_FRAMES = 3600;
/** Most bytes of one segment. */
export const MOST_SEGMENT_BYTES = 128 * 1024 * 1024;
/** A day: no segment is longer. */
const MOST_TICKS = 86_400 * 90_000;
const MOST_STREAMS = 5000;

/** Most bytes of a body of rows. */
export const MOST_ROWS_BYTES = 8 * 1024 * 1024;
/** Most bytes of a body of a sync. */
export const MOST_SYNC_BYTES = 2 * 1024 * 1024;

/** EdgeHello of the protocol. */
export const EdgeHelloShape = Type.Object({ name: text(200), version: text(100) }, exactly);

const CursorShape = Type.Object({
  streamId: Type.String(),
  rendition: Type.String(),
  nextSequence: Type.Integer(),
  nextLateSequence: Type.Integer(),
});

/** EdgeCursor of the protocol. */
export const EdgeCursorShape = CursorShape;

/** EdgeWelcome of the protocol. */
export const EdgeWelcomeShape = Type.Object({ session: Type.Integer(), cursors: Type.Array(CursorShape) });

/** EdgeStream of the protocol. */
export const EdgeStreamShape = Type.Object(
  {
    session,
    kind: Type.Union([Type.Literal('frames'), Type.Literal('push'), Type.Literal('chunks')]),
    name: text(200),
    endedAtMs: Type.Union([wall, Type.Null()]),
  },
  exactly,
);

const EpochShape = Type.Object(
  {
    id: idText,
    anchorMs: wall,
    init: Type.String({ maxLength: 400_000, pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'base64.' }),
    codecs: Type.String({ maxLength: 200 }),
    width: Type.Integer({ minimum: 0, maximum: 65_535 }),
    height: Type.Integer({ minimum: 0, maximum: 65_535 }),
  },
  exactly,
);

const RowShape = Type.Object(
  {
    id: idText,
    epochId: idText,
    placement: Type.Union([Type.Literal('onTime'), Type.Literal('late')]),
    sequence: whole,
    startMs: wall,
    mediaStart90k: whole,
    duration90k: Type.Integer({ minimum: 1, maximum: MOST_TICKS }),
    frameTimesMs: Type.Array(wall, { maxItems: MOST_FRAMES }),
    sizeBytes: Type.Integer({
      minimum: 0,
      maximum: MOST_SEGMENT_BYTES,
      description: '0: it was never made, and is lost.',
    }),
    sha256: Type.String({
      pattern: '^([0-9a-f]{64})?$',
      description: '64 lower-case hexadecimal digits; empty where it was never made.',
    }),
    keyframeBytes: Type.Union([Type.Integer({ minimum: 1, maximum: MOST_SEGMENT_BYTES }), Type.Null()]),
    lost: Type.Boolean(),
  },
  exactly,
);

/** EdgeRows of the protocol. */
export const EdgeRowsShape = Type.Object(
  {
    session,
    rendition: text(200),
    epochs: Type.Array(EpochShape, { maxItems: MOST_ROWS }),
    rows: Type.Array(RowShape, { maxItems: MOST_ROWS }),
  },
  exactly,
);

const StatusShape = Type.Object({
  uptimeS: count,
  freeBytes: orNull(count),
  storedBytes: count,
  backlogRows: count,
  backlogSegments: count,
  backlogBytes: count,
  sentBytes: count,
  clockOffsetMs: orNull(wall),
  roundTripMs: orNull(count),
  streams: Type.Array(
    Type.Object({ id: idText, lastCapturedAtMs: orNull(wall), lastReceivedAtMs: orNull(wall) }, exactly),
    { maxItems: MOST_STREAMS },
  ),
});

/** EdgeSync of the protocol. */
export const EdgeSyncShape = Type.Object(
  {
    session,
    seen: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]),
    waitMs: Type.Number({ minimum: 0, description: `At most ${LONGEST_SYNC_WAIT_MS} are waited.` }),
    sentAtMs: wall,
    status: StatusShape,
  },
  exactly,
);

/** EdgeDesired of the protocol. */
export const EdgeDesiredShape = Type.Object({
  version: Type.String(),
  live: Type.Array(Type.String()),
  keep: Type.Array(
    Type.Object({
      id: Type.String(),
      streamId: Type.String(),
      name: Type.String(),
      fromMs: Type.Number(),
      toMs: orNull(Type.Number()),
    }),
  ),
  segments: Type.Array(Type.Object({ id: Type.String(), streamId: Type.String(), urgent: Type.Boolean() })),
  receivedAtMs: Type.Number(),
  sentAtMs: Type.Number(),
});

/** EdgeGone of the protocol. */
export const EdgeGoneShape = Type.Object({ session, ids: Type.Array(idText, { maxItems: 1000 }) }, exactly);

/** The session in a query, where there is no body for it. */
export const SessionQuery = Type.Object({ session: Type.Optional(session) }, exactly);

/** An edge as people see it. */
export const EdgeShape = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  name: Type.String(),
  version: Type.String({ description: 'Of its program.' }),
  connected: Type.Boolean(),
  connectedSince: Type.Union([time('When it registered.'), Type.Null()]),
  awaySince: Type.Union([time('When it went away, or said its last word.'), Type.Null()]),
  lastSeenAt: time('Its last word.'),
  createdAt: time('When it registered for the first time.'),
  clockSkewMs: orNull(Type.Number({ description: 'How far its clock is ahead of this server’s, as it measured.' })),
  roundTripMs: orNull(Type.Number({ description: 'The way there and back.' })),
  uptimeSeconds: orNull(Type.Number()),
  freeBytes: orNull(Type.Number({ description: 'Of its disk.' })),
  storedBytes: orNull(Type.Number({ description: 'Of its segments.' })),
  sentBytes: orNull(Type.Number({ description: 'Since its start.' })),
  backlog: Type.Union(
    [
      Type.Object({
        rows: Type.Number({ description: 'Segments that this server does not know of yet.' }),
        segments: Type.Number({ description: 'Segments that are wanted and on their way.' }),
        bytes: Type.Number(),
      }),
      Type.Null(),
    ],
    { description: 'What is still to come, as it said last.' },
  ),
});

/** An edge with its streams. */
export const EdgeDetailShape = Type.Object({
  ...EdgeShape.properties,
  streams: Type.Array(
    Type.Object({ id: Type.String(), name: Type.String(), kind: Type.String(), watched: Type.Boolean() }),
  ),
});

/** An edge as people see it. */
export type EdgeJson = Static<typeof EdgeShape>;
