import type { OutputSpec, WorkState } from '../../timeline/asset.ts';
import type { AssetJson, OutputJson } from '../rest/asset-shapes.ts';
import type { Timestamp } from './generated/google/protobuf/Timestamp.ts';
import type { Asset } from './generated/zoetrope/v1/Asset.ts';
import type { Media } from './generated/zoetrope/v1/Media.ts';
import type { Output } from './generated/zoetrope/v1/Output.ts';
import type { WorkState as WorkStateName } from './generated/zoetrope/v1/WorkState.ts';

const STATE_NAMES: Readonly<Record<WorkState, Exclude<WorkStateName, number>>> = {
  queued: 'QUEUED',
  probing: 'PROBING',
  transcoding: 'TRANSCODING',
  packaging: 'PACKAGING',
  ready: 'READY',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
};

/** An asset as REST shows it, as a message. */
export function assetMessage(asset: AssetJson): Asset {
  const { id, tenant, name, priority, progress, playback, media, cause } = asset;
  return {
    id,
    tenant,
    name,
    referenceId: asset.referenceId ?? '',
    state: STATE_NAMES[asset.state],
    cause,
    priority,
    progress,
    media: media === null ? null : mediaMessage(media),
    ...(asset.durationMs === null ? {} : { durationSeconds: asset.durationMs / 1000 }),
    ...(asset.speed === null ? {} : { speed: asset.speed }),
    ...(asset.etaSeconds === null ? {} : { etaSeconds: asset.etaSeconds }),
    createdAt: timestamp(asset.createdAt),
    startedAt: timestamp(asset.startedAt),
    playableAt: timestamp(asset.playableAt),
    endedAt: timestamp(asset.endedAt),
    playback:
      playback === null
        ? null
        : {
            hls: playback.hls,
            dash: playback.dash ?? '',
            poster: playback.poster ?? '',
            storyboardVtt: playback.storyboardVtt ?? '',
            storyboardJson: playback.storyboardJson ?? '',
            download: playback.download ?? '',
          },
    outputs: asset.outputs.map(outputMessage),
  };
}

/** The state that a name stands for; undefined for `WORK_STATE_UNSPECIFIED` and what is unknown. */
export function stateOf(name: WorkStateName): WorkState | undefined {
  const states = Object.entries(STATE_NAMES) as readonly (readonly [WorkState, WorkStateName])[];
  return states.find(([, known]) => known === name)?.[0];
}

function outputMessage(output: OutputJson): Output {
  const { id, name, kind, cause, progress, cpuSeconds, peakMemoryBytes, wallSeconds, files } = output;
  return {
    id,
    name,
    kind,
    state: STATE_NAMES[output.state],
    cause,
    progress,
    ...(output.etaSeconds === null ? {} : { etaSeconds: output.etaSeconds }),
    cpuSeconds,
    peakMemoryBytes,
    wallSeconds,
    startedAt: timestamp(output.startedAt),
    endedAt: timestamp(output.endedAt),
    ...specFields(output.spec),
    files: [...files],
  };
}

function specFields(spec: OutputSpec): Pick<Output, 'codec' | 'width' | 'height' | 'language'> {
  switch (spec.kind) {
    case 'video':
      return { codec: spec.codec, width: spec.width, height: spec.height };
    case 'audio':
      return { codec: spec.codec, language: spec.language ?? '' };
    case 'subtitles':
      return { codec: 'wvtt', language: spec.language ?? '' };
    case 'thumbnails':
      return { codec: 'jpeg', width: spec.widthPx, height: spec.heightPx };
    case 'storyboard':
      return { codec: 'jpeg', width: spec.tileWidthPx, height: spec.tileHeightPx };
    case 'download':
      return {};
  }
}

function mediaMessage(media: NonNullable<AssetJson['media']>): Media {
  return {
    container: media.container,
    sizeBytes: media.sizeBytes,
    video: media.video.map(({ frameRate, bitsPerS, hdr, ...track }) => ({
      ...track,
      hdr: hdr ?? '',
      ...(frameRate === null ? {} : { frameRate }),
      ...(bitsPerS === null ? {} : { bitsPerS }),
    })),
    audio: media.audio.map(({ language, title, bitsPerS, ...track }) => ({
      ...track,
      language: language ?? '',
      title: title ?? '',
      ...(bitsPerS === null ? {} : { bitsPerS }),
    })),
    subtitles: media.subtitles.map(({ language, title, ...track }) => ({
      ...track,
      language: language ?? '',
      title: title ?? '',
    })),
  };
}

function timestamp(rfc3339: string | null): Timestamp | null {
  if (rfc3339 === null) return null;
  const ms = Date.parse(rfc3339);
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}
