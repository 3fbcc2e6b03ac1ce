import type { Static, TSchema } from 'typebox';
import { Errors } from 'typebox/value';
import { ZoetropeError } from '../base/errors.ts';
import { checkObjectKey } from '../objects/object-key.ts';
import type { AssetRequest, ThumbnailsRequest, VideoRequest, WatermarkRequest } from '../timeline/asset.ts';
import {
  ASSET_LIMITS,
  AssetOptionsShape,
  CODEC_RULES,
  NewAssetShape,
  OutputOptionsShape,
  type OutputOptions,
} from './asset-options.ts';

/** An asset as asked for, checked and complete. */
export interface ParsedAsset {
  readonly tenant: string;
  /** Null: take the file's name. */
  readonly name: string | null;
  readonly referenceId: string | null;
  readonly priority: number;
  readonly request: AssetRequest;
}

/** Where the file of a new asset lies already. */
export type RemoteSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'object'; readonly key: string };

/** Whose the asset is, given the tenant that the client named, if it named one. @throws permission_denied for one that it may not act for */
export type TenantChoice = (named: string | undefined) => string;

const MAX_VALUE_LENGTH = 80;

/** Reads the body of a request that makes an asset from an object or a URL. @throws invalid_argument naming the field, the value got and the remedy */
export function parseNewAsset(
  input: unknown,
  tenantFor: TenantChoice,
): ParsedAsset & { readonly source: RemoteSource } {
  const { source, ...options } = checkShape(NewAssetShape, input, 'The asset');
  const parsed = parseAssetOptions(options, tenantFor);
  return {
    ...parsed,
    source:
      'url' in source
        ? { kind: 'url', url: checkHttpUrl(source.url, 'source.url') }
        : { kind: 'object', key: checkInputKey(source.objectKey, parsed.tenant, 'source.objectKey') },
  };
}

/** Reads what a client says of an asset besides where its file is. @throws invalid_argument naming the field, the value got and the remedy */
export function parseAssetOptions(input: unknown, tenantFor: TenantChoice): ParsedAsset {
  const { name, referenceId, priority, webhookUrl, tenant, outputs } = checkShape(
    AssetOptionsShape,
    input,
    'The asset',
  );
  const owner = tenantFor(tenant);
  return {
    tenant: owner,
    name: name ?? null,
    referenceId: referenceId ?? null,
    priority: priority ?? 0,
    request: parseAssetRequest(outputs ?? {}, { tenant: owner, webhookUrl: webhookUrl ?? null }),
  };
}

/**
 * Reads what is to be made of a file and fills in the defaults: the ladder, captions, a poster and a storyboard.
 *
 * @throws invalid_argument naming the field, the value got and the remedy
 */
export function parseAssetRequest(
  input: unknown,
  context: { readonly tenant: string; readonly webhookUrl: string | null },
): AssetRequest {
  const outputs = checkShape(OutputOptionsShape, input, 'outputs');
  return {
    video: outputs.video === undefined || outputs.video === null ? null : checkVideo(outputs.video),
    audioBitrateKbps: outputs.audioBitrateKbps ?? null,
    captions: outputs.captions ?? true,
    thumbnails: checkThumbnails(outputs.thumbnails ?? []),
    poster: outputs.poster ?? true,
    storyboard: outputs.storyboard ?? true,
    download: outputs.download ?? false,
    watermark: watermarkOf(outputs.watermark ?? null, context.tenant),
    encryption: outputs.encryption ?? 'none',
    webhookUrl: context.webhookUrl === null ? null : checkHttpUrl(context.webhookUrl, 'webhookUrl'),
  };
}

/** What the keys of a tenant's own objects begin with: the only ones that its requests may name. @throws invalid_argument when its name cannot be part of a key */
export function inputsPrefix(tenant: string): string {
  // A tenant called `a/b` would otherwise own what lies below the tenant `a`.
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(tenant)) return `inputs/${tenant}/`;
  throw new ZoetropeError(
    'invalid_argument',
    `Objects cannot be named by the tenant ${shorten(tenant)}: its name must be of A–Z, a–z, 0–9, ".", "_" and "-". Upload the file, or give a URL.`,
  );
}

function checkVideo(videos: NonNullable<OutputOptions['video']>): readonly VideoRequest[] {
  const seen = new Map<string, number>();
  for (const [index, video] of videos.entries()) {
    const field = `outputs.video[${index}]`;
    const codec = video.codec ?? 'h264';
    const { maxCrf, presets } = CODEC_RULES[codec];
    if (video.crf !== undefined && video.bitrateKbps !== undefined) {
      throw invalid(field, 'takes either crf or bitrateKbps. Leave one of them out', video);
    }
    if (video.crf !== undefined && video.crf > maxCrf) {
      throw invalid(`${field}.crf`, `must be 0–${maxCrf} for ${codec}`, video.crf);
    }
    if (video.preset !== undefined && !presets.includes(video.preset)) {
      throw invalid(`${field}.preset`, `must be one of ${presets.join(', ')} for ${codec}`, video.preset);
    }
    const same = JSON.stringify([codec, video.heightPx, video.bitrateKbps, video.crf]);
    const first = seen.get(same);
    if (first !== undefined) {
      throw invalid(
        field,
        `asks for the same as outputs.video[${first}]. Leave it out, or change its size or rate`,
        video,
      );
    }
    seen.set(same, index);
  }
  return videos.map((video) => ({ ...video }));
}

function checkThumbnails(sets: NonNullable<OutputOptions['thumbnails']>): readonly ThumbnailsRequest[] {
  let count = 0;
  for (const [index, { timesSeconds }] of sets.entries()) {
    const field = `outputs.thumbnails[${index}].timesSeconds`;
    const twice = timesSeconds.find((time, at) => timesSeconds.indexOf(time) !== at);
    if (twice !== undefined) throw invalid(field, 'must name each time once', twice);
    count += timesSeconds.length;
  }
  if (count > ASSET_LIMITS.thumbnailTimes) {
    throw invalid('outputs.thumbnails', `may ask for ${ASSET_LIMITS.thumbnailTimes} pictures in all`, count);
  }
  return sets.map((set) => ({ ...set }));
}

function watermarkOf(watermark: (OutputOptions['watermark'] & object) | null, tenant: string): WatermarkRequest | null {
  if (watermark === null) return null;
  const { objectKey, position = 'bottom-right', size = 0.15, opacity = 1, margin = 0.02 } = watermark;
  return {
    objectKey: checkInputKey(objectKey, tenant, 'outputs.watermark.objectKey'),
    position,
    size,
    opacity,
    margin,
  };
}

function checkInputKey(key: string, tenant: string, field: string): string {
  const prefix = inputsPrefix(tenant);
  if (checkObjectKey(key).startsWith(prefix)) return key;
  throw invalid(
    field,
    `must begin with ${JSON.stringify(prefix)}: requests may name the tenant’s own objects alone`,
    key,
  );
}

function checkHttpUrl(text: string, field: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalid(field, 'must be an http: or https: URL, such as https://media.example.org/film.mp4', text);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ZoetropeError('invalid_argument', `${field} must not hold a user name or password. Use a signed URL.`);
  }
  return text;
}

function checkShape<T extends TSchema>(shape: T, input: unknown, whole: string): Static<T> {
  const faults = Errors(shape, input);
  const fault = faults.find((one) => isTelling(one, faults));
  if (fault === undefined) return input as Static<T>; // Errors has just found it to be one.
  const field = fieldOf(fault.instancePath);
  if (fault.keyword === 'additionalProperties') {
    const [unknown = ''] = fault.params.additionalProperties;
    const path = field === '' ? unknown : `${field}.${unknown}`;
    throw new ZoetropeError(
      'invalid_argument',
      `${path.slice(0, 200)} is not known here. Leave it out; what there is stands in /docs.`,
    );
  }
  throw invalid(field === '' ? whole : field, demandOf(fault, faults), valueAt(input, fault.instancePath));
}

type Fault = ReturnType<typeof Errors>[number];

/** Faults of single alternatives say little: of one literal among several, or of null. */
function isTelling(fault: Fault, all: readonly Fault[]): boolean {
  if (fault.keyword === 'boolean' || fault.keyword === 'const') return false;
  if (fault.keyword === 'type' && fault.params.type === 'null') return false;
  return fault.keyword !== 'anyOf' || alternativesOf(fault, all).every((other) => other.keyword === 'const');
}

function demandOf(fault: Fault, all: readonly Fault[]): string {
  if (fault.keyword === 'pattern') return 'must have no control characters';
  if (fault.keyword !== 'anyOf') return fault.message;
  const choices = alternativesOf(fault, all).flatMap((other) =>
    other.keyword === 'const' ? [JSON.stringify(other.params.allowedValue)] : [],
  );
  return `must be one of ${choices.join(', ')}`;
}

function alternativesOf(union: Fault, all: readonly Fault[]): readonly Fault[] {
  return all.filter((other) => other !== union && other.schemaPath.startsWith(`${union.schemaPath}/`));
}

function fieldOf(path: string): string {
  return path
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split('/')
    .slice(1)
    .reduce<unknown>((at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined), value);
}

function invalid(field: string, demand: string, got: unknown): ZoetropeError {
  return new ZoetropeError('invalid_argument', `${field} ${demand}. Got ${shorten(got)}.`);
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}
