import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Check } from 'typebox/value';
import { ERROR_CATALOGUE, ZoetropeError, type ErrorCode } from '../../base/errors.ts';
import { problemOf, toZoetropeError } from './problems.ts';
import { ProblemShape } from './shapes.ts';

const HTTP: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  invalid_configuration: 500,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media: 415,
  checksum_mismatch: 400,
  corrupt_media: 422,
  out_of_range: 422,
  range_not_satisfiable: 416,
  misdirected: 421,
  too_many: 429,
  fenced: 409,
  missing_input: 404,
  engine_failed: 500,
  deadline_exceeded: 504,
  cancelled: 499,
  storage_full: 507,
  unavailable: 503,
  internal: 500,
};

test('every code of the catalogue has its HTTP status and makes a whole problem', () => {
  assert.deepEqual(Object.keys(HTTP).sort(), Object.keys(ERROR_CATALOGUE).sort());
  for (const code of Object.keys(ERROR_CATALOGUE) as ErrorCode[]) {
    const problem = problemOf(new ZoetropeError(code, 'The disk /var/secret broke.'), 'req_1');
    assert.ok(Check(ProblemShape, problem));
    assert.equal(problem.status, HTTP[code], code);
    assert.equal(problem.type, `urn:zoetrope:problem:${code}`);
    assert.equal(problem.title, ERROR_CATALOGUE[code].title);
    assert.equal(problem.retryable, ERROR_CATALOGUE[code].retryable);
    const isHidden = code === 'internal' || code === 'invalid_configuration';
    assert.equal(problem.detail.includes('secret'), !isHidden, code);
  }
});

test('what Fastify throws is the client’s mistake when its status says so, and ours otherwise', () => {
  const thrown = (statusCode: number, code = 'FST_X'): Error => Object.assign(new Error('no'), { statusCode, code });
  const cases: readonly (readonly [unknown, ErrorCode])[] = [
    [thrown(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE'), 'unsupported_media'],
    [thrown(413, 'FST_ERR_CTP_BODY_TOO_LARGE'), 'payload_too_large'],
    [thrown(400), 'invalid_argument'],
    [thrown(404), 'not_found'],
    [thrown(416), 'range_not_satisfiable'],
    [thrown(429), 'too_many'],
    [thrown(418), 'invalid_argument'],
    [thrown(500), 'internal'],
    [thrown(302), 'internal'],
    [new TypeError('x is not a function'), 'internal'],
    ['a string', 'internal'],
    [undefined, 'internal'],
    [new ZoetropeError('gone', 'It was removed.'), 'gone'],
  ];
  for (const [value, code] of cases) assert.equal(toZoetropeError(value).code, code);
  assert.match(toZoetropeError(cases[0]?.[0], 'image/jpeg').message, /Content-Type: image\/jpeg/);
});
