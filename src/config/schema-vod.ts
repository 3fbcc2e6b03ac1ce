import { Type } from 'typebox';
import { seconds } from './schema-parts.ts';

/** Uploads, fetching and the transcoding of assets. */
export const VodSection = Type.Object(
  {
    workers: Type.Optional(
      Type.Integer({
        env: 'ZOETROPE_VOD_WORKERS',
        description: 'Tasks of assets that a process with the role worker does at once. Default: one a core.',
        minimum: 1,
        maximum: 256,
      }),
    ),
    maxUploadBytes: Type.Integer({
      env: 'ZOETROPE_MAX_UPLOAD_BYTES',
      description: 'Largest file taken, uploaded or fetched. Bytes.',
      default: 21_474_836_480,
      minimum: 1024,
    }),
    uploadExpiryHours: Type.Number({
      env: 'ZOETROPE_UPLOAD_EXPIRY_HOURS',
      description: 'How long an unfinished upload may be resumed. Hours.',
      default: 24,
      exclusiveMinimum: 0,
      maximum: 8760,
    }),
    maxDurationHours: Type.Number({
      env: 'ZOETROPE_MAX_DURATION_HOURS',
      description: 'Longest file taken. Hours.',
      default: 12,
      exclusiveMinimum: 0,
      maximum: 240,
    }),
    maxPixels: Type.Integer({
      env: 'ZOETROPE_MAX_VIDEO_PIXELS',
      description: 'Largest picture of a video taken, width × height.',
      default: 35_389_440,
      minimum: 256,
    }),
    fetchTimeoutSeconds: {
      ...seconds('The longest that fetching a file from a URL may take.', 3600, 1, 86_400),
      env: 'ZOETROPE_FETCH_TIMEOUT_SECONDS',
    },
    segmentSeconds: {
      ...seconds('Length aimed at for segments of assets.', 4, 1, 30),
      env: 'ZOETROPE_VOD_SEGMENT_SECONDS',
    },
    chunkSeconds: {
      ...seconds('Length aimed at for what one task encodes.', 12, 2, 600),
      env: 'ZOETROPE_VOD_CHUNK_SECONDS',
    },
    leaseSeconds: {
      ...seconds('Silence of a worker after which another takes its task.', 20, 1, 3600),
      env: 'ZOETROPE_VOD_LEASE_SECONDS',
    },
    stallSeconds: {
      ...seconds('Time without progress after which a task is ended and tried again.', 60, 1, 3600),
      env: 'ZOETROPE_VOD_STALL_SECONDS',
    },
    maxMemoryMb: Type.Integer({
      env: 'ZOETROPE_VOD_MAX_MEMORY_MB',
      description:
        'Resident memory at which the process of a task is ended. A 2160p ladder of HEVC stays well below the default. MiB.',
      default: 4096,
      minimum: 256,
    }),
    maxAttempts: Type.Integer({
      env: 'ZOETROPE_VOD_MAX_ATTEMPTS',
      description: 'Tries of one task before its asset fails.',
      default: 4,
      minimum: 1,
      maximum: 100,
    }),
  },
  { default: {}, additionalProperties: false },
);

/** Where the server itself may connect to. */
export const EgressSection = Type.Object(
  {
    allowedNetworks: Type.Array(Type.String({ format: 'cidr' }), {
      env: 'ZOETROPE_ALLOWED_NETWORKS',
      description:
        'Private networks that URLs of files and webhooks may lead to, as `10.0.0.0/8`, comma-separated. Loopback, private and link-local addresses are refused otherwise.',
      default: [],
    }),
  },
  { default: {}, additionalProperties: false },
);

/** Delivery of webhooks. */
export const WebhooksSection = Type.Object(
  {
    retryDays: Type.Number({
      env: 'ZOETROPE_WEBHOOK_RETRY_DAYS',
      description: 'How long a webhook is tried before it fails. Days.',
      default: 3,
      exclusiveMinimum: 0,
      maximum: 60,
    }),
    timeoutSeconds: {
      ...seconds('How long an endpoint may take to answer.', 15, 0.1, 120),
      env: 'ZOETROPE_WEBHOOK_TIMEOUT_SECONDS',
    },
    logDays: Type.Number({
      env: 'ZOETROPE_WEBHOOK_LOG_DAYS',
      description: 'How long deliveries are kept for looking into and sending again. Days.',
      default: 30,
      exclusiveMinimum: 0,
      maximum: 3650,
    }),
  },
  { default: {}, additionalProperties: false },
);

/** The gRPC API. */
export const GrpcSection = Type.Object(
  {
    port: Type.Integer({
      env: 'ZOETROPE_GRPC_PORT',
      description: 'Port of the gRPC API, on the same address as HTTP; 0 picks a free one.',
      default: 50_051,
      minimum: 0,
      maximum: 65535,
    }),
    tlsCertFile: Type.Optional(
      Type.String({ env: 'ZOETROPE_GRPC_TLS_CERT', description: 'PEM file of the certificate; turns TLS on.' }),
    ),
    tlsKeyFile: Type.Optional(
      Type.String({ env: 'ZOETROPE_GRPC_TLS_KEY', description: 'PEM file of the private key of the certificate.' }),
    ),
    tlsClientCaFile: Type.Optional(
      Type.String({
        env: 'ZOETROPE_GRPC_TLS_CLIENT_CA',
        description: 'PEM file of the authority that clients must have a certificate of; turns mutual TLS on.',
      }),
    ),
  },
  { default: {}, additionalProperties: false },
);
