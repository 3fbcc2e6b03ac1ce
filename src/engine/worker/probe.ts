import { avGetCodecName, type Stream } from 'node-av/lib';
import { AVMEDIA_TYPE_AUDIO, AVMEDIA_TYPE_SUBTITLE, AVMEDIA_TYPE_VIDEO, AV_NOPTS_VALUE } from 'node-av/constants';
import { readJpegHeader } from '../jpeg/read-header.ts';
import type { FrameLimits, ProbedTrack, ProbeRequest, ProbeResult } from '../engine.ts';
import { openFormat } from './demux/open-format.ts';
import { openRandomInput, readInput, type RandomInput } from './input.ts';
import { sniffContainer, SNIFF_BYTES } from './sniff-container.ts';
import type { WorkerContext } from './worker-context.ts';

const PROBE_BYTES = 5n << 20n;
const PROBE_US = 5_000_000n;
const MAX_TRACKS = 32;
const US_PER_MS = 1000;

/** Does {@link Engine.probe} in this process. */
export async function probe(request: ProbeRequest, { objects }: WorkerContext): Promise<ProbeResult> {
  await using input = await openRandomInput(request.ref, objects);
  const { name, demuxer } = sniffContainer(await input.read(0, SNIFF_BYTES));
  if (demuxer === null)
    return probeJpeg(await readInput(request.ref, objects, request.limits.maxBytes), request.limits);
  return await probeContainer(input, name, demuxer, request.limits);
}

function probeJpeg(bytes: Uint8Array, limits: FrameLimits): ProbeResult {
  const { width, height } = readJpegHeader(bytes, limits);
  const track: ProbedTrack = {
    kind: 'video',
    codec: 'mjpeg',
    width,
    height,
    frameRate: null,
    sampleRateHz: null,
    channels: null,
  };
  return { container: 'jpeg', durationMs: null, tracks: [track] };
}

async function probeContainer(
  input: RandomInput,
  container: string,
  demuxer: string,
  { maxPixels }: FrameLimits,
): Promise<ProbeResult> {
  await using open = await openFormat(input, {
    container,
    demuxer,
    maxPixels,
    maxTracks: MAX_TRACKS,
    probeBytes: PROBE_BYTES,
    probeUs: PROBE_US,
  });
  const { duration } = open.format;
  return {
    container,
    durationMs: duration === AV_NOPTS_VALUE || duration <= 0n ? null : Number(duration) / US_PER_MS,
    tracks: open.streams.map(describe),
  };
}

function describe({ codecpar, avgFrameRate }: Stream): ProbedTrack {
  const kind = TRACK_KINDS.get(codecpar.codecType) ?? 'other';
  const isVideo = kind === 'video';
  const isAudio = kind === 'audio';
  return {
    kind,
    codec: avGetCodecName(codecpar.codecId) ?? 'unknown',
    width: isVideo ? codecpar.width : null,
    height: isVideo ? codecpar.height : null,
    frameRate: isVideo && avgFrameRate.num > 0 && avgFrameRate.den > 0 ? avgFrameRate.num / avgFrameRate.den : null,
    sampleRateHz: isAudio ? codecpar.sampleRate : null,
    channels: isAudio ? codecpar.channels : null,
  };
}

const TRACK_KINDS = new Map<number, ProbedTrack['kind']>([
  [AVMEDIA_TYPE_VIDEO, 'video'],
  [AVMEDIA_TYPE_AUDIO, 'audio'],
  [AVMEDIA_TYPE_SUBTITLE, 'subtitle'],
]);
