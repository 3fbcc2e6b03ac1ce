import { Type, type Static } from 'typebox';
import { ClipsSection } from './schema-clips.ts';
import { EdgeSection } from './schema-edge.ts';
import { s3Settings } from './schema-s3.ts';
import { PushSection } from './schema-push.ts';
import { EgressSection, GrpcSection, VodSection, WebhooksSection } from './schema-vod.ts';
import { seconds } from './schema-parts.ts';

/**
 * The one configuration schema: `docs/reference/configuration.md` and `.env.example` are generated from it.
 *
 * Beside the words of JSON Schema a setting has `env` (its environment name) and may have `format` (one of `formats.ts`).
 */
export const ConfigSchema = Type.Object(
  {
    dataDir: Type.String({
      env: 'ZOETROPE_DATA_DIR',
      description: 'Where the embedded stores keep everything.',
      default: './data',
    }),
    http: Type.Object(
      {
        host: Type.String({
          env: 'ZOETROPE_HOST',
          description: 'Address to listen on. Anything but loopback needs an API key first.',
          default: '127.0.0.1',
        }),
        port: Type.Integer({
          env: 'ZOETROPE_PORT',
          description: 'Port of console, API and playback; 0 picks a free one.',
          default: 8080,
          minimum: 0,
          maximum: 65535,
        }),
        metricsPort: Type.Integer({
          env: 'ZOETROPE_METRICS_PORT',
          description: 'Port of /metrics, /healthz and /readyz; 0 picks a free one.',
          default: 9090,
          minimum: 0,
          maximum: 65535,
        }),
        corsOrigins: Type.Array(Type.String({ format: 'origin' }), {
          env: 'ZOETROPE_CORS_ORIGINS',
          description: 'Origins that browsers may call from, comma-separated; `*` allows any, without credentials.',
          default: [],
        }),
        publicUrl: Type.Optional(
          Type.String({
            env: 'ZOETROPE_PUBLIC_URL',
            description: 'The URL under which clients reach this server, for absolute links.',
            format: 'http-url',
          }),
        ),
        maxFrameBytes: Type.Integer({
          env: 'ZOETROPE_MAX_FRAME_BYTES',
          description: 'Largest JPEG taken. Bytes.',
          default: 16_777_216,
          minimum: 1024,
        }),
        headerTimeoutSeconds: {
          ...seconds(
            'How long the header of a request may take to come, from when the connection is there.',
            20,
            1,
            300,
          ),
          env: 'ZOETROPE_HEADER_TIMEOUT_SECONDS',
        },
        bodyTimeoutSeconds: {
          ...seconds(
            'How long the body of a request may take to come; uploads of files must only not fall silent.',
            120,
            1,
            3600,
          ),
          env: 'ZOETROPE_BODY_TIMEOUT_SECONDS',
        },
      },
      { default: {}, additionalProperties: false },
    ),
    stores: Type.Object(
      {
        catalogUrl: Type.Optional(
          Type.String({
            env: 'ZOETROPE_CATALOG_URL',
            description:
              '`sqlite:PATH` (default `sqlite:<dataDir>/catalog.db`), or `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`.',
          }),
        ),
        catalogPasswordFile: Type.Optional(
          Type.String({
            env: 'ZOETROPE_CATALOG_PASSWORD_FILE',
            description: 'File that holds the password of the user in `ZOETROPE_CATALOG_URL`.',
          }),
        ),
        objectsUrl: Type.Optional(
          Type.String({
            env: 'ZOETROPE_OBJECTS_URL',
            description:
              '`file:DIR` (default `file:<dataDir>/objects`) or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&pathStyle=true`, with `publicEndpoint`, `storageClass` and `ca` (a PEM file) as further parameters.',
          }),
        ),
        eventsUrl: Type.Optional(
          Type.String({
            env: 'ZOETROPE_EVENTS_URL',
            description: '`embedded:PATH` (default `embedded:<dataDir>/events.db`).',
          }),
        ),
        ...s3Settings,
        eventPartitions: Type.Integer({
          env: 'ZOETROPE_EVENT_PARTITIONS',
          description: 'Partitions of each topic of the embedded log; fixed when the log is made.',
          default: 16,
          minimum: 1,
          maximum: 256,
        }),
        eventRetentionHours: Type.Number({
          env: 'ZOETROPE_EVENT_RETENTION_HOURS',
          description: 'How long events and dead letters are kept. Hours.',
          default: 72,
          minimum: 1,
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    frames: Type.Object(
      {
        framesPerSegment: Type.Integer({
          env: 'ZOETROPE_FRAMES_PER_SEGMENT',
          description: 'Frames at which a segment closes.',
          default: 6,
          minimum: 1,
          maximum: 600,
        }),
        maxSegmentWaitSeconds: {
          ...seconds('The longest an open segment waits for more frames.', 60, 0.1, 3600),
          env: 'ZOETROPE_MAX_SEGMENT_WAIT_SECONDS',
        },
        frameIntervalSeconds: {
          ...seconds("How long a frame lasts before a stream's rhythm is known.", 5, 0.001, 3600),
          env: 'ZOETROPE_FRAME_INTERVAL_SECONDS',
        },
        displaySpeed: Type.Number({
          env: 'ZOETROPE_DISPLAY_SPEED',
          description:
            'Speed of playlists when the player names none: 1 is real time; 5 shows frames that come every 5 s for 1 s each.',
          default: 1,
          exclusiveMinimum: 0,
          maximum: 1000,
        }),
        gapToleranceSeconds: Type.Optional({
          ...Type.Number({ minimum: 0.001 }),
          env: 'ZOETROPE_GAP_TOLERANCE_SECONDS',
          description:
            "Silence between two frames that counts as a gap. Default: three times the stream's median interval. Seconds.",
        }),
        futureToleranceSeconds: {
          ...seconds("How far a capture time may lie ahead of the server's clock.", 30),
          env: 'ZOETROPE_FUTURE_TOLERANCE_SECONDS',
        },
        frameRoots: Type.Array(Type.String(), {
          env: 'ZOETROPE_FRAME_ROOTS',
          description: 'Directories that `framePath` may name, comma-separated.',
          default: [],
        }),
        crf: Type.Integer({
          env: 'ZOETROPE_CRF',
          description: 'x264 constant rate factor; less is better and larger.',
          default: 26,
          minimum: 0,
          maximum: 51,
        }),
        maxPixels: Type.Integer({
          env: 'ZOETROPE_MAX_PIXELS',
          description: 'Most pixels (width × height) of a frame.',
          default: 40_000_000,
          minimum: 256,
        }),
        maxOpenFramesPerStream: Type.Integer({
          env: 'ZOETROPE_MAX_OPEN_FRAMES_PER_STREAM',
          description:
            'Frames that may wait behind missing pictures of their stream; more of its frames go to the dead letters, so that it holds nobody else up.',
          default: 600,
          minimum: 1,
        }),
        maxTries: Type.Integer({
          env: 'ZOETROPE_FRAME_MAX_TRIES',
          description: 'Tries for a missing frame or a failing batch before the dead letters.',
          default: 4,
          minimum: 1,
          maximum: 20,
        }),
        overlay: Type.Object(
          {
            enabled: Type.Boolean({
              env: 'ZOETROPE_OVERLAY',
              description: 'Draw the capture time into the picture.',
              default: false,
            }),
            position: Type.Union(
              [
                Type.Literal('top-left'),
                Type.Literal('top-right'),
                Type.Literal('bottom-left'),
                Type.Literal('bottom-right'),
              ],
              { env: 'ZOETROPE_OVERLAY_POSITION', description: 'Corner of the drawn time.', default: 'bottom-left' },
            ),
            sizePx: Type.Integer({
              env: 'ZOETROPE_OVERLAY_SIZE',
              description: 'Height of the drawn time in pixels.',
              default: 16,
              minimum: 7,
              maximum: 400,
            }),
            timeZone: Type.String({
              env: 'ZOETROPE_OVERLAY_TIME_ZONE',
              description: 'IANA time zone of the drawn time.',
              default: 'UTC',
              format: 'time-zone',
            }),
          },
          { default: {}, additionalProperties: false },
        ),
      },
      { default: {}, additionalProperties: false },
    ),
    upkeep: Type.Object(
      {
        retentionHours: Type.Number({
          env: 'ZOETROPE_RETENTION_HOURS',
          description: 'How far back a timeline reaches. Hours.',
          default: 24,
          exclusiveMinimum: 0,
          maximum: 87_600,
        }),
        maxBytes: Type.Optional(
          Type.Integer({
            env: 'ZOETROPE_MAX_BYTES',
            description: 'Ceiling on the bytes of all segments but those of assets; the oldest go first.',
            minimum: 1,
          }),
        ),
        minFreeBytes: Type.Integer({
          env: 'ZOETROPE_MIN_FREE_BYTES',
          description: 'Free space that retention keeps on the disk; the oldest go first.',
          default: 1_073_741_824,
          minimum: 0,
        }),
        cleanupIntervalSeconds: {
          ...seconds('Time between retention runs.', 60, 0.1),
          env: 'ZOETROPE_CLEANUP_INTERVAL_SECONDS',
        },
        offlineAfterSeconds: {
          ...seconds('Silence after which a camera is offline.', 60, 0.1, 86_400),
          env: 'ZOETROPE_OFFLINE_AFTER_SECONDS',
        },
        offlineCheckIntervalSeconds: {
          ...seconds('Time between looks for offline cameras.', 10, 0.1),
          env: 'ZOETROPE_OFFLINE_CHECK_INTERVAL_SECONDS',
        },
        minArchiveDurationSeconds: {
          ...seconds('A shorter session gets no archive.', 60),
          env: 'ZOETROPE_MIN_ARCHIVE_DURATION_SECONDS',
        },
        maxSessionHours: Type.Number({
          env: 'ZOETROPE_MAX_SESSION_HOURS',
          description: 'A longer session is archived and a new one begins. Hours.',
          default: 2,
          exclusiveMinimum: 0,
          maximum: 720,
        }),
        archiveRetentionDays: Type.Number({
          env: 'ZOETROPE_ARCHIVE_RETENTION_DAYS',
          description: 'How long archives are kept. Days.',
          default: 7,
          exclusiveMinimum: 0,
          maximum: 36_500,
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    engine: Type.Object(
      {
        processes: Type.Optional(
          Type.Integer({
            env: 'ZOETROPE_WORKERS',
            description: 'Engine processes. Default: one a core.',
            minimum: 1,
            maximum: 256,
          }),
        ),
        taskTimeoutSeconds: {
          ...seconds('The longest one task may take before its process is ended.', 30, 0.1),
          env: 'ZOETROPE_ENGINE_TASK_TIMEOUT_SECONDS',
        },
        maxMemoryMb: Type.Integer({
          env: 'ZOETROPE_ENGINE_MAX_MEMORY_MB',
          description: 'Resident memory at which an engine process is replaced. MiB.',
          default: 768,
          minimum: 128,
        }),
        maxQueued: Type.Integer({
          env: 'ZOETROPE_ENGINE_MAX_QUEUED',
          description: 'Tasks that may wait; beyond it callers are told to wait.',
          default: 2000,
          minimum: 1,
        }),
      },
      { default: {}, additionalProperties: false },
    ),
    delivery: Type.Object(
      {
        liveSegments: Type.Integer({
          env: 'ZOETROPE_LIVE_SEGMENTS',
          description: 'Segments in a live playlist.',
          default: 6,
          minimum: 3,
          maximum: 100,
        }),
        cacheMb: Type.Integer({
          env: 'ZOETROPE_CACHE_MB',
          description: 'Memory for hot segments. MiB.',
          default: 128,
          minimum: 1,
        }),
        tokenTtlSeconds: {
          ...seconds('Life of a playback token unless asked otherwise.', 3600, 1),
          env: 'ZOETROPE_TOKEN_TTL_SECONDS',
        },
      },
      { default: {}, additionalProperties: false },
    ),
    clips: ClipsSection,
    push: PushSection,
    edge: EdgeSection,
    vod: VodSection,
    egress: EgressSection,
    webhooks: WebhooksSection,
    grpc: GrpcSection,
    roles: Type.Array(
      Type.Union([
        Type.Literal('api'),
        Type.Literal('delivery'),
        Type.Literal('ingest'),
        Type.Literal('worker'),
        Type.Literal('upkeep'),
      ]),
      {
        env: 'ZOETROPE_ROLES',
        description: 'What this process does, comma-separated.',
        default: ['api', 'delivery', 'ingest', 'worker', 'upkeep'],
        minItems: 1,
      },
    ),
    logLevel: Type.Union(
      [
        Type.Literal('debug'),
        Type.Literal('info'),
        Type.Literal('warn'),
        Type.Literal('error'),
        Type.Literal('silent'),
      ],
      { env: 'ZOETROPE_LOG_LEVEL', description: 'Least severity that is logged.', default: 'info' },
    ),
    logFormat: Type.Union([Type.Literal('json'), Type.Literal('text')], {
      env: 'ZOETROPE_LOG_FORMAT',
      description: 'How log lines are written.',
      default: 'json',
    }),
  },
  { additionalProperties: false },
);

/** The whole configuration, validated, with defaults filled in, frozen. */
export type Config = Static<typeof ConfigSchema>;

/** Something that a process does. */
export type Role = Config['roles'][number];
