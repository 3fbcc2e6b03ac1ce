import { Type } from 'typebox';
import { text } from './shapes.ts';

const index = (description: string) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });
const time = (description: string) => Type.String({ format: 'date-time', description });
const track = Type.Optional(
  Type.Union([text(1024), Type.Null()], { description: 'The encoder’s own name for it; kept in the topic.' }),
);

/** What places are wanted for. */
export const ChunkUrlsRequestShape = Type.Union([
  Type.Object(
    {
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 60, description: 'How many chunks.' })),
      firstIndex: Type.Optional(
        index('`chunkIndex` of the first. Default: the one behind the newest chunk that was taken.'),
      ),
      expiresInSeconds: Type.Optional(
        Type.Integer({ minimum: 60, maximum: 86_400, default: 3600, description: 'How long the URLs can be used.' }),
      ),
    },
    { additionalProperties: false, examples: [{ count: 60, firstIndex: 0 }] },
  ),
  Type.Null(),
]);

/** Where the bytes of chunks go. */
export const ChunkUrlsShape = Type.Object({
  items: Type.Array(
    Type.Object({
      chunkIndex: Type.Integer(),
      objectKey: Type.String({ description: 'Goes into the announcement of this chunk, and of no other.' }),
      url: Type.String({ description: 'Needs no key. Takes the bytes once.' }),
      method: Type.Literal('PUT'),
      headers: Type.Record(Type.String(), Type.String(), { description: 'To be sent with the bytes.' }),
      expiresAt: time('Until when the URL can be used.'),
    }),
  ),
});

/** An announcement as it is posted to /v1/events/chunks and as it lies in the topic `zoetrope.chunks`. Its fields are judged where both come together. */
export const ChunkEventShape = Type.Object(
  {
    stream_id: text(200),
    chunk_index: index('Counts up by one from chunk to chunk, and never begins anew: an index is taken once.'),
    sequence_number: index('The encoder’s own count. Order is by `chunk_index`.'),
    timestamp: time('When its first picture was taken.'),
    size_bytes: Type.Integer({ minimum: 1 }),
    duration_ms: Type.Number({ exclusiveMinimum: 0, maximum: 3_600_000 }),
    keyframe_aligned: Type.Boolean({
      description: 'Whether it begins with a picture that needs no other. The bytes are looked at all the same.',
    }),
    checksum: Type.String({
      minLength: 1,
      maxLength: 100,
      description: '`sha256:` or `md5:` with the digest of the bytes in hexadecimal.',
    }),
    audio_track_id: track,
    video_track_id: track,
    object_key: text(512),
  },
  { description: 'Fields beyond these are passed over.' },
);

/** Which chunks came and which did not. */
export const ChunksShape = Type.Object({
  nextIndex: Type.Integer({
    description: 'The index behind the newest chunk that was taken: where an encoder goes on.',
  }),
  taken: Type.Array(Type.Object({ first: Type.Integer(), last: Type.Integer() }), {
    description: 'Runs of chunks without a hole, oldest first. What lies between two is missing.',
  }),
  missing: Type.Integer({ description: 'Chunks between those that were taken.' }),
  rejected: Type.Array(
    Type.Object({
      chunkIndex: Type.Integer(),
      objectKey: Type.String(),
      checksum: Type.String({ description: 'As it was announced.' }),
      code: Type.String(),
      message: Type.String(),
      at: time('When.'),
    }),
    { description: 'Those that were announced and could not be taken, by their last announcement. The newest 1,000.' },
  ),
});
