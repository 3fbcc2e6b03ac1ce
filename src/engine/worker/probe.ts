import { avGetCodecName, FormatContext, InputFormat, IOContext, type Stream } from 'node-av/lib';
import {
  AVERROR_EIO,
  AVERROR_EOF,
  AVFMT_FLAG_CUSTOM_IO,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_CUR,
  AVSEEK_END,
  AVSEEK_SET,
  AVSEEK_SIZE,
  AV_NOPTS_VALUE,
} from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import { readJpegHeader } from '../jpeg/read-header.ts';
import type { FrameLimits, ProbedTrack, ProbeRequest, ProbeResult } from '../engine.ts';
import { avError, check } from './av.ts';
import { openRandomInput, readInput, type RandomInput } from './input.ts';
import { sniffContainer, SNIFF_BYTES } from './sniff-container.ts';
import type { WorkerContext } from './worker-context.ts';

const IO_BUFFER_BYTES = 64 << 10;
/** How much of a file FFmpeg may look at, and of how much of its time, to find its tracks. */
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

/** FFmpeg reads through our own callbacks and may open nothing itself: no protocol, and no format but the one that was sniffed. */
async function probeContainer(
  input: RandomInput,
  container: string,
  demuxer: string,
  limits: FrameLimits,
): Promise<ProbeResult> {
  const io = createInput(input);
  const format = new FormatContext();
  format.allocContext();
  format.pb = io;
  format.setFlags(AVFMT_FLAG_CUSTOM_IO);
  format.probesize = PROBE_BYTES;
  format.maxAnalyzeDuration = PROBE_US;
  format.maxStreams = MAX_TRACKS;
  check(format.setOption('format_whitelist', demuxer), 'set the formats allowed');
  check(format.setOption('protocol_whitelist', 'none'), 'set the protocols allowed');
  try {
    const opened = await format.openInput('', InputFormat.findInputFormat(demuxer.split(',')[0] ?? demuxer), null);
    if (opened < 0) throw avError(opened, `read the ${container} file`, 'corrupt_media');
    for (const stream of format.streams) checkSize(stream, limits);
    const found = await format.findStreamInfo(null);
    if (found < 0) throw avError(found, `find the tracks of the ${container} file`, 'corrupt_media');
    for (const stream of format.streams) checkSize(stream, limits);
    if (format.nbStreams === 0) throw new ZoetropeError('corrupt_media', `The ${container} file has no tracks.`);
    const { duration } = format;
    return {
      container,
      durationMs: duration === AV_NOPTS_VALUE || duration <= 0n ? null : Number(duration) / US_PER_MS,
      tracks: format.streams.map(describe),
    };
  } finally {
    await format.closeInput();
    io.freeContext();
  }
}

function createInput(input: RandomInput): IOContext {
  let position = 0;
  const io = new IOContext();
  io.allocContextWithCallbacks(
    IO_BUFFER_BYTES,
    0,
    async (wanted) => {
      try {
        const bytes = await input.read(position, wanted);
        position += bytes.length;
        return bytes.length === 0 ? AVERROR_EOF : bytes;
      } catch {
        // The callback's caller is C: FFmpeg gets a code, and reports it as the failure of what it was doing.
        return AVERROR_EIO;
      }
    },
    null,
    (offset, whence) => {
      if (whence === AVSEEK_SIZE) return BigInt(input.sizeBytes);
      if (whence === AVSEEK_SET) position = Number(offset);
      else if (whence === AVSEEK_CUR) position += Number(offset);
      else if (whence === AVSEEK_END) position = input.sizeBytes + Number(offset);
      return BigInt(position);
    },
  );
  return io;
}

function checkSize({ codecpar: { width, height } }: Stream, { maxPixels }: FrameLimits): void {
  if (width * height <= maxPixels) return;
  throw new ZoetropeError(
    'payload_too_large',
    `A track measures ${width}×${height}, more than the ${maxPixels} pixels allowed.`,
  );
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
