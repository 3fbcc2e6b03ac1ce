import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Check } from 'typebox/value';
import type { StreamSettings } from '../../timeline/stream.ts';
import { settingsFromJson, settingsToJson } from './settings.ts';
import { StreamSettingsShape } from './shapes.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const overlay = fc.option(
  fc.record(
    {
      position: fc.constantFrom('top-left', 'top-right', 'bottom-left', 'bottom-right'),
      sizePx: fc.integer({ min: 7, max: 400 }),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Santiago'),
    },
    { noNullPrototype: true },
  ),
);

const ladder = fc.oneof(
  fc.constantFrom('auto' as const, null),
  fc.uniqueArray(
    fc.record(
      { height: fc.integer({ min: 16, max: 4320 }), videoKbps: fc.option(fc.integer({ min: 20, max: 100_000 })) },
      { noNullPrototype: true },
    ),
    { minLength: 1, maxLength: 6, selector: ({ height }) => height },
  ),
);

const settings: fc.Arbitrary<StreamSettings> = fc.record(
  {
    framesPerSegment: fc.integer({ min: 1, max: 600 }),
    maxSegmentWaitMs: fc.integer({ min: 100, max: HOUR_MS }),
    retentionMs: fc.integer({ min: 1, max: 87_600 * HOUR_MS }),
    offlineAfterMs: fc.integer({ min: 100, max: DAY_MS }),
    minArchiveDurationMs: fc.integer({ min: 0, max: DAY_MS }),
    maxSessionMs: fc.integer({ min: 1, max: 720 * HOUR_MS }),
    archiveRetentionMs: fc.integer({ min: 1, max: 36_500 * DAY_MS }),
    gapToleranceMs: fc.option(fc.integer({ min: 1, max: DAY_MS })),
    futureToleranceMs: fc.integer({ min: 0, max: DAY_MS }),
    reconnectWindowMs: fc.integer({ min: 1000, max: DAY_MS }),
    clockToleranceMs: fc.integer({ min: 20, max: 60_000 }),
    frameIntervalMs: fc.integer({ min: 1, max: HOUR_MS }),
    crf: fc.integer({ min: 0, max: 51 }),
    displaySpeed: fc.double({ min: 0.1, max: 1000, noNaN: true }),
    overlay,
    ladder,
  },
  { noNullPrototype: true },
);

test('settings survive the way out and back in, to the millisecond', () => {
  fc.assert(
    fc.property(settings, (given) => {
      const json = settingsToJson(given);
      assert.ok(Check(StreamSettingsShape, json), JSON.stringify(json));
      assert.deepEqual(settingsFromJson(json), given);
    }),
  );
});

test('only what is there is converted: a partial stays partial', () => {
  fc.assert(
    fc.property(settings, fc.nat(), (given, mask) => {
      const part = Object.fromEntries(Object.entries(given).filter((_, index) => (mask >> index) % 2 === 1));
      const json = settingsToJson(part as Partial<StreamSettings>);
      assert.equal(Object.keys(json).length, Object.keys(part).length);
      assert.deepEqual(settingsFromJson(json), part);
    }),
  );
});

test('what the API takes becomes whole milliseconds, and never nought where nought is not allowed', () => {
  assert.deepEqual(
    settingsFromJson({ retentionHours: 1e-12, minArchiveDurationSeconds: 0, futureToleranceSeconds: 0 }),
    {
      retentionMs: 1,
      minArchiveDurationMs: 0,
      futureToleranceMs: 0,
    },
  );
  assert.deepEqual(settingsFromJson({ maxSegmentWaitSeconds: 0.10049, archiveRetentionDays: 0.5 }), {
    maxSegmentWaitMs: 100,
    archiveRetentionMs: 43_200_000,
  });
});

test('null passes through, for the catalog to clear or to keep', () => {
  const cleared = settingsFromJson({ crf: null, retentionHours: null, gapToleranceSeconds: null, overlay: null });
  assert.deepEqual(cleared, { crf: null, retentionMs: null, gapToleranceMs: null, overlay: null });
});

test('an unknown time zone is refused', () => {
  assert.throws(() => settingsFromJson({ overlay: { position: 'top-left', sizePx: 16, timeZone: 'Mars/Olympus' } }), {
    code: 'invalid_argument',
    message: /Got "Mars\/Olympus"/,
  });
});
