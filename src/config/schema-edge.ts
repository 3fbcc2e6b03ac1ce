import { Type } from 'typebox';
import { seconds } from './schema-parts.ts';

/** Edges, and what control wants of them. */
export const EdgeSection = Type.Object(
  {
    idleAfterSeconds: {
      ...seconds(
        'For how long after its last playlist was asked for a stream of an edge is still sent live to this server.',
        30,
        5,
        3600,
      ),
      env: 'ZOETROPE_EDGE_IDLE_SECONDS',
    },
    segmentWaitSeconds: {
      ...seconds('How long a request for a segment waits for an edge to send its bytes, before 503.', 10, 1, 60),
      env: 'ZOETROPE_EDGE_SEGMENT_WAIT_SECONDS',
    },
    clipWaitSeconds: {
      ...seconds(
        'How long a clip waits for bytes from an edge, without one coming, before it fails.',
        900,
        10,
        604_800,
      ),
      env: 'ZOETROPE_EDGE_CLIP_WAIT_SECONDS',
    },
  },
  { default: {}, additionalProperties: false },
);
