import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TSchema } from 'typebox';
import { Type } from 'typebox';
import { isZoetropeError } from '../../base/errors.ts';
import { FrameEventShape, NewMarkerShape, NewStreamShape, StreamPatchShape, text } from './shapes.ts';
import { validatorCompiler } from './validation.ts';

function faultsOf(schema: TSchema, data: unknown, httpPart = 'body'): readonly string[] {
  const validate = validatorCompiler({ schema, httpPart, method: 'POST', url: '/' });
  const result = validate(data) as { readonly error?: unknown };
  if (result.error === undefined) return [];
  assert.ok(isZoetropeError(result.error, 'invalid_argument'));
  const errors = result.error.details['errors'] as readonly { readonly field: string; readonly detail: string }[];
  for (const { field, detail } of errors) assert.ok(result.error.message.includes(`${field} ${detail}`));
  return errors.map(({ field, detail }) => `${field} ${detail}`);
}

test('every fault is told, with the field, what it must be, and the value got', () => {
  assert.deepEqual(
    faultsOf(NewStreamShape, { name: 'a\nb', kind: 'film', settings: { crf: 99, framesPerSegment: '6', nope: 1 } }),
    [
      'body: name must have 1–200 characters without control characters. Got "a\\nb".',
      'body: kind must be one of "frames", "push", "chunks". Got "film".',
      `body: settings.nope is not known here. Known: ${SETTINGS}.`,
      'body: settings.framesPerSegment must be an integer. Got "6".',
      'body: settings.crf must be <= 51. Got 99.',
    ],
  );
});

const SETTINGS = Object.keys(
  (NewStreamShape.properties.settings as unknown as { readonly properties: object }).properties,
).join(', ');

test('what is missing is told with what to put there', () => {
  const headers = Type.Object({
    'x-captured-at': Type.String({ description: 'When it was taken.', examples: ['2026-11-20T10:30:00Z'] }),
  });
  assert.deepEqual(faultsOf(headers, {}, 'headers'), [
    'headers: x-captured-at is missing. Add it: When it was taken. Example: 2026-11-20T10:30:00Z.',
  ]);
});

test('of alternatives, the closest one tells its faults', () => {
  const body = Type.Union([FrameEventShape, Type.Array(FrameEventShape, { minItems: 1 })]);
  const event = { eventId: 'e', clientId: 'c', deviceId: 'd', timestamp: '2026-11-20T10:30:00Z', framePath: '/x.jpg' };
  assert.deepEqual(faultsOf(body, event), []);
  assert.deepEqual(faultsOf(body, [event]), []);
  assert.deepEqual(faultsOf(body, { ...event, timestamp: 'noon' }), [
    'body: timestamp must be RFC 3339 with a time zone, like 2026-11-20T10:30:00.250Z. Got "noon".',
  ]);
  assert.deepEqual(faultsOf(body, [event, { ...event, deviceId: '' }]), [
    'body: [1].deviceId must have at least 1 characters. Got "".',
  ]);
  assert.deepEqual(faultsOf(body, 'x'), [
    'The body must be an object. Got "x".',
    'The body must be an array. Got "x".',
  ]);
  const at = '2026-11-20T10:30:00Z';
  assert.deepEqual(faultsOf(NewMarkerShape, { at, until: null, label: 'x' }), []);
  assert.deepEqual(faultsOf(NewMarkerShape, { at, until: 'x', label: 'x' }), [
    'body: until must be RFC 3339 with a time zone, like 2026-11-20T10:30:00.250Z. Got "x".',
  ]);
  assert.deepEqual(faultsOf(StreamPatchShape, { settings: { crf: null, overlay: null } }), []);
  assert.deepEqual(
    faultsOf(StreamPatchShape, { settings: { overlay: { position: 'top-left', sizePx: 1, timeZone: 'UTC' } } }),
    ['body: settings.overlay.sizePx must be >= 7. Got 1.'],
  );
});

test('texts become numbers in a query and stay texts in a body', () => {
  const schema = Type.Object({ limit: Type.Integer({ maximum: 10 }) });
  assert.deepEqual(faultsOf(schema, { limit: '5' }, 'querystring'), []);
  assert.deepEqual(faultsOf(schema, { limit: '50' }, 'querystring'), ['query: limit must be <= 10. Got 50.']);
  assert.deepEqual(faultsOf(schema, { limit: '5' }), ['body: limit must be an integer. Got "5".']);
  assert.deepEqual(faultsOf(schema, { limit: ['5', '6'] }, 'querystring'), [
    'query: limit must be an integer. Got ["5","6"].',
  ]);
});

test('free text takes any script and refuses control characters and broken surrogate pairs', () => {
  const schema = Type.Object({ t: text(8) });
  for (const good of ['Nordtor', '北門', '🎥', 'a b', '../x', "'--"])
    assert.deepEqual(faultsOf(schema, { t: good }), []);
  for (const bad of ['', 'a\0', '\u001b[0m', '\u0085', '\ud800', 'x'.repeat(9)]) {
    assert.equal(faultsOf(schema, { t: bad }).length, 1, JSON.stringify(bad));
  }
});

test('a flood of faults is cut short, and so is a long value', () => {
  const schema = Type.Array(Type.Integer());
  const validate = validatorCompiler({ schema, httpPart: 'body', method: 'POST', url: '/' });
  const { error } = validate(Array.from({ length: 50 }, () => 'x'.repeat(1000))) as { readonly error: Error };
  assert.match(error.message, /And 40 more\.$/);
  assert.ok(error.message.length < 2000);
});
