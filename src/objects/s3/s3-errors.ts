import { messageOf, systemCodeOf, ZoetropeError, type ErrorCode } from '../../base/errors.ts';

/** What the server answered instead of doing it. */
export class S3Refusal extends Error {
  override readonly name = 'S3Refusal';
  readonly status: number;
  /** As S3 names it, e.g. `NoSuchKey`; empty when the answer had no body. */
  readonly code: string;
  /** By the server's clock, of this answer; null when it does not say. */
  readonly dateMs: number | null;

  constructor(
    status: number,
    answer: { readonly code: string; readonly message: string; readonly dateMs: number | null },
  ) {
    super([String(status), answer.code, answer.message].filter((part) => part !== '').join(' '));
    this.status = status;
    this.code = answer.code;
    this.dateMs = answer.dateMs;
  }
}

const FULL = new Set([
  'QuotaExceeded',
  'QuotaExceededException',
  'InsufficientStorage',
  'InsufficientCapacity',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'NoSpaceLeft',
]);
const MISSING = new Set(['NoSuchKey', 'NotFound', '']);
const PASSING = new Set(['SlowDown', 'RequestTimeout', 'InternalError', 'ServiceUnavailable', 'OperationAborted']);
/** 409: others were doing something to the same key, or on some servers beside it, at the same time. */
const PASSING_STATUS = new Set([408, 409, 429]);
const WRONG_KEYS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'XAdminUserNotFound',
]);
const WRONG_REGION = new Set(['AuthorizationHeaderMalformed', 'PermanentRedirect', 'TemporaryRedirect']);
const WRONG_CLOCK = new Set(['RequestTimeTooSkewed', 'RequestExpired']);

/** Whether the same request may do better a moment later. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof S3Refusal)) return !(error instanceof ZoetropeError) && !isAbort(error);
  if (FULL.has(error.code) || error.status === 507 || error.status === 501) return false;
  return error.status >= 500 || PASSING_STATUS.has(error.status) || PASSING.has(error.code);
}

/** Whether a server says that it does not know this kind of request. */
export function isUnknownRequest(error: unknown): boolean {
  return (
    error instanceof S3Refusal && (error.status === 501 || error.status === 405 || error.code === 'NotImplemented')
  );
}

/**
 * A failure of the server or on the way to it as one of ours. What the configuration is to blame for is `invalid_configuration` at the start and
 * `unavailable` later, when it worked before. A ZoetropeError and an abort stay themselves.
 */
export function toS3Error(error: unknown, action: string, atStart = false): unknown {
  if (error instanceof ZoetropeError || isAbort(error)) return error;
  const fail = (code: ErrorCode, why: string): ZoetropeError =>
    new ZoetropeError(code, `Could not ${action}: ${why}`, { cause: error });
  if (!(error instanceof S3Refusal)) {
    const code = systemCodeOf(error);
    const isCertificate = code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code);
    if (isCertificate && atStart) {
      return fail(
        'invalid_configuration',
        `its certificate is not trusted (${messageOf(error)}). Name its authority with "ca".`,
      );
    }
    return fail('unavailable', `the S3 server cannot be reached (${messageOf(error)}).`);
  }
  if (FULL.has(error.code) || error.status === 507) {
    return fail('storage_full', `the S3 server is full (${error.message}). Free space in it, or raise the quota.`);
  }
  if (error.status === 404 && MISSING.has(error.code)) return fail('missing_input', 'there is no such object.');
  if (error.status === 416) return fail('range_not_satisfiable', 'the range lies outside the object.');
  const blame = blameOf(error, atStart);
  if (blame === null) return fail('unavailable', `the S3 server answered ${error.message}.`);
  return fail(atStart ? 'invalid_configuration' : 'unavailable', `${blame} It answered ${error.message}.`);
}

function blameOf({ status, code, dateMs }: S3Refusal, atStart: boolean): string | null {
  if (WRONG_CLOCK.has(code)) {
    const offByS = dateMs === null ? null : Math.round((Date.now() - dateMs) / 1000);
    const by = offByS === null ? '' : ` by ${Math.abs(offByS)} s (ours is ${offByS > 0 ? 'ahead' : 'behind'})`;
    return `the clocks of this machine and of the S3 server differ${by}. Set them by NTP.`;
  }
  if (WRONG_KEYS.has(code))
    return 'the S3 server does not accept the keys. Check ZOETROPE_S3_ACCESS_KEY_ID and its secret.';
  if (code === 'NoSuchBucket') return 'there is no such bucket. Make it, or name another in ZOETROPE_OBJECTS_URL.';
  if (WRONG_REGION.has(code) || status === 301 || status === 307) {
    return 'the bucket is in another region or at another endpoint. Check both in ZOETROPE_OBJECTS_URL.';
  }
  if (status === 403 || status === 401) return 'the keys are not allowed to do this in the bucket. Check its policy.';
  // The request is one that every server knows: what it names is wrong.
  if (atStart && status < 500) return 'the S3 server refuses it. Check bucket, endpoint and pathStyle.';
  return null;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
