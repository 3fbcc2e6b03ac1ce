/** What each error code means to a client: one table for HTTP, gRPC and exit codes. `retryable` is the default. */
export const ERROR_CATALOGUE = {
  invalid_argument: { http: 400, grpc: 3, exit: 2, retryable: false, title: 'The request is not valid' },
  invalid_configuration: { http: 500, grpc: 9, exit: 2, retryable: false, title: 'The configuration is not valid' },
  unauthenticated: { http: 401, grpc: 16, exit: 1, retryable: false, title: 'A valid key or token is needed' },
  permission_denied: { http: 403, grpc: 7, exit: 1, retryable: false, title: 'The key does not allow this' },
  not_found: { http: 404, grpc: 5, exit: 1, retryable: false, title: 'There is no such thing' },
  method_not_allowed: { http: 405, grpc: 12, exit: 1, retryable: false, title: 'The method is not allowed here' },
  conflict: { http: 409, grpc: 10, exit: 1, retryable: false, title: 'It conflicts with what is there' },
  gone: { http: 410, grpc: 5, exit: 1, retryable: false, title: 'It was removed' },
  precondition_failed: {
    http: 412,
    grpc: 9,
    exit: 1,
    retryable: false,
    title: 'A condition of the request is not met',
  },
  payload_too_large: { http: 413, grpc: 8, exit: 1, retryable: false, title: 'It is larger than allowed' },
  unsupported_media: { http: 415, grpc: 3, exit: 1, retryable: false, title: 'The media is not of a supported kind' },
  corrupt_media: { http: 422, grpc: 3, exit: 1, retryable: false, title: 'The media is damaged' },
  checksum_mismatch: {
    http: 400,
    grpc: 3,
    exit: 1,
    retryable: true,
    title: 'The bytes are not those that were announced',
  },
  out_of_range: { http: 422, grpc: 11, exit: 1, retryable: false, title: 'The value is outside what is allowed' },
  range_not_satisfiable: {
    http: 416,
    grpc: 11,
    exit: 1,
    retryable: false,
    title: 'The byte range is outside the file',
  },
  misdirected: { http: 421, grpc: 7, exit: 1, retryable: false, title: 'This host name is not served here' },
  too_many: { http: 429, grpc: 8, exit: 1, retryable: true, title: 'Too much at once' },
  fenced: { http: 409, grpc: 10, exit: 1, retryable: false, title: 'Another process owns this now' },
  missing_input: { http: 404, grpc: 5, exit: 1, retryable: true, title: 'The input is not there (yet)' },
  engine_failed: { http: 500, grpc: 13, exit: 1, retryable: true, title: 'The media engine failed' },
  deadline_exceeded: { http: 504, grpc: 4, exit: 1, retryable: true, title: 'It took longer than allowed' },
  cancelled: { http: 499, grpc: 1, exit: 1, retryable: false, title: 'It was cancelled' },
  storage_full: { http: 507, grpc: 8, exit: 1, retryable: true, title: 'The disk is full' },
  unavailable: { http: 503, grpc: 14, exit: 1, retryable: true, title: 'Not available just now' },
  internal: { http: 500, grpc: 13, exit: 1, retryable: false, title: 'Zoetrope made a mistake' },
} as const;

/** One of the closed set of error codes. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** Optional parts of a {@link ZoetropeError}. */
export interface ZoetropeErrorOptions {
  readonly cause?: unknown;
  /** Facts for logs and problem documents: no secrets, JSON values only. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Overrides the catalogue's default. */
  readonly retryable?: boolean;
}

/** The one error type that crosses a module's border. The message names what was wrong, the value got, and the remedy. */
export class ZoetropeError extends Error {
  override readonly name = 'ZoetropeError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: ZoetropeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? ERROR_CATALOGUE[code].retryable;
  }
}

/** Whether a value is a {@link ZoetropeError}, of the given code if one is named. */
export function isZoetropeError(value: unknown, code?: ErrorCode): value is ZoetropeError {
  return value instanceof ZoetropeError && (code === undefined || value.code === code);
}

/** The message of anything thrown, for logs and causes. */
export function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}

/** The `code` of a Node.js system error such as `ENOENT`; undefined for anything else. */
export function systemCodeOf(value: unknown): string | undefined {
  if (!(value instanceof Error) || !('code' in value)) return undefined;
  return typeof value.code === 'string' ? value.code : undefined;
}
