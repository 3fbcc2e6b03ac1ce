import type { Static } from 'typebox';
import { ZoetropeError } from '../../base/errors.ts';
import { isTimeZone } from '../../config/formats.ts';
import type { StreamSettings } from '../../timeline/stream.ts';
import { ladderFromJson, ladderToJson } from './ladder-shapes.ts';
import type { SettingsPatch, StreamSettingsShape } from './shapes.ts';

/** A stream's settings as the API writes them: seconds, hours, days. */
export type SettingsJson = Static<typeof StreamSettingsShape>;

/** API name, name in {@link StreamSettings}, and milliseconds in one unit of the API. */
const DURATIONS = [
  ['maxSegmentWaitSeconds', 'maxSegmentWaitMs', 1000],
  ['retentionHours', 'retentionMs', 3_600_000],
  ['offlineAfterSeconds', 'offlineAfterMs', 1000],
  ['minArchiveDurationSeconds', 'minArchiveDurationMs', 1000],
  ['maxSessionHours', 'maxSessionMs', 3_600_000],
  ['archiveRetentionDays', 'archiveRetentionMs', 86_400_000],
  ['gapToleranceSeconds', 'gapToleranceMs', 1000],
  ['futureToleranceSeconds', 'futureToleranceMs', 1000],
  ['reconnectWindowSeconds', 'reconnectWindowMs', 1000],
  ['clockToleranceSeconds', 'clockToleranceMs', 1000],
  ['frameIntervalSeconds', 'frameIntervalMs', 1000],
] as const satisfies readonly (readonly [keyof SettingsJson, keyof StreamSettings, number])[];

const SAME = ['framesPerSegment', 'crf', 'displaySpeed', 'overlay'] as const satisfies readonly (keyof SettingsJson &
  keyof StreamSettings)[];

/** Durations of 0 that are allowed; any other rounds up to a millisecond. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set(['minArchiveDurationMs', 'futureToleranceMs']);

/** From the API's units to milliseconds (whole ones). Nulls stay: the catalog clears those that are no values. @throws invalid_argument for an unknown time zone. */
export function settingsFromJson(json: SettingsPatch): Partial<StreamSettings> {
  const settings: Record<string, unknown> = {};
  for (const [jsonName, name, unitMs] of DURATIONS) {
    const value = json[jsonName];
    if (value === undefined) continue;
    settings[name] = value === null ? null : Math.max(MAY_BE_ZERO.has(name) ? 0 : 1, Math.round(value * unitMs));
  }
  for (const name of SAME) if (json[name] !== undefined) settings[name] = json[name];
  if (json.ladder !== undefined) settings['ladder'] = ladderFromJson(json.ladder);
  checkTimeZone(json);
  return settings;
}

/** From milliseconds to the API's units. */
export function settingsToJson(settings: StreamSettings): SettingsJson;
export function settingsToJson(settings: Partial<StreamSettings>): Partial<SettingsJson>;
export function settingsToJson(settings: Partial<StreamSettings>): Partial<SettingsJson> {
  const json: Record<string, unknown> = {};
  for (const [jsonName, name, unitMs] of DURATIONS) {
    const value = settings[name];
    if (value !== undefined) json[jsonName] = value === null ? null : value / unitMs;
  }
  for (const name of SAME) if (settings[name] !== undefined) json[name] = settings[name];
  if (settings.ladder !== undefined) json['ladder'] = ladderToJson(settings.ladder);
  return json;
}

function checkTimeZone(json: SettingsPatch): void {
  const zone = json.overlay?.timeZone;
  if (zone === undefined || isTimeZone(zone)) return;
  throw new ZoetropeError(
    'invalid_argument',
    `settings.overlay.timeZone must be an IANA time zone such as Europe/Berlin. Got ${JSON.stringify(zone.slice(0, 80))}.`,
  );
}
