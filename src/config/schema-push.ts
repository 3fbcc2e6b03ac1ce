import { Type } from 'typebox';
import { seconds } from './schema-parts.ts';

/** Settings of streams that encoders push. */
export const PushSection = Type.Object(
  {
    reconnectWindowSeconds: {
      ...seconds('How long a pushed stream may stay away before its playlists end (EXT-X-ENDLIST).', 300, 1),
      env: 'ZOETROPE_RECONNECT_WINDOW_SECONDS',
    },
    clockToleranceSeconds: {
      ...seconds(
        "How far an encoder's wall clock may move against its media clock before both are tied anew, with a discontinuity.",
        0.5,
        0.02,
        60,
      ),
      env: 'ZOETROPE_CLOCK_TOLERANCE_SECONDS',
    },
    maxSegmentBytes: Type.Integer({
      env: 'ZOETROPE_PUSH_MAX_SEGMENT_BYTES',
      description: 'Most bytes of one pushed segment or announced chunk.',
      default: 67_108_864,
      minimum: 1024,
    }),
    roots: Type.Array(Type.String(), {
      env: 'ZOETROPE_PUSH_ROOTS',
      description:
        'Directories below which `POST /v1/playlist` may read segments (`MPEG-TS-URI-Prefix: file:///…`), comma-separated; none: it reads none.',
      default: [],
    }),
    maxBodiesMb: Type.Integer({
      env: 'ZOETROPE_PUSH_MAX_BODIES_MB',
      description:
        'Most memory that pushed files may take while they come in, all together; beyond it encoders are told to come back. MiB.',
      default: 512,
      minimum: 16,
    }),
    ladderWorkers: Type.Optional(
      Type.Integer({
        env: 'ZOETROPE_LADDER_WORKERS',
        description:
          'Segments that a process with the role worker encodes at once for live ladders. Default: one a core.',
        minimum: 1,
        maximum: 256,
      }),
    ),
  },
  { default: {}, additionalProperties: false },
);
