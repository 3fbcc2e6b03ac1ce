import { FormatContext, InputFormat, type Stream } from 'node-av/lib';
import { AVERROR_ENOMEM, AVFMT_FLAG_CUSTOM_IO, AVFMT_FLAG_GENPTS } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import { avError, check } from '../av.ts';
import type { RandomInput } from '../input.ts';
import { CustomIo } from './custom-io.ts';

/** How a container is to be opened. */
export interface OpenFormatOptions {
  /** For messages. */
  readonly container: string;
  /** FFmpeg's name of the only demuxer that may be used, with its aliases. */
  readonly demuxer: string;
  readonly maxTracks: number;
  readonly maxPixels: number;
  /** How much of a file FFmpeg may look at, and of how much of its time, to find its tracks. */
  readonly probeBytes: bigint;
  readonly probeUs: bigint;
}

/** A container that is open. Dispose of it before its input. */
export interface OpenFormat extends AsyncDisposable {
  readonly format: FormatContext;
  readonly io: CustomIo;
  readonly streams: readonly Stream[];
}

/**
 * Opens a container and finds its tracks. FFmpeg reads through our own callbacks and may open nothing itself: no protocol, and no format but the one
 * that was sniffed. @throws corrupt_media, payload_too_large, and what the input throws
 */
export async function openFormat(input: RandomInput, options: OpenFormatOptions): Promise<OpenFormat> {
  const { container, demuxer, maxTracks } = options;
  const io = new CustomIo(input);
  const format = new FormatContext();
  const dispose = async (): Promise<void> => {
    await format.closeInput();
    io[Symbol.dispose]();
  };
  try {
    format.allocContext();
    format.pb = io.context;
    format.setFlags(AVFMT_FLAG_CUSTOM_IO, AVFMT_FLAG_GENPTS);
    format.probesize = options.probeBytes;
    format.maxAnalyzeDuration = options.probeUs;
    // One more than allowed, so that too many can be told from what is allowed.
    format.maxStreams = maxTracks + 1;
    check(format.setOption('format_whitelist', demuxer), 'set the formats allowed');
    check(format.setOption('protocol_whitelist', 'none'), 'set the protocols allowed');
    const opened = await format.openInput('', InputFormat.findInputFormat(demuxer.split(',')[0] ?? demuxer), null);
    if (opened === AVERROR_ENOMEM && format.nbStreams > maxTracks) throw tooManyTracks(container, maxTracks);
    if (opened < 0) throw io.failure ?? avError(opened, `read the ${container} file`, 'corrupt_media');
    checkTracks(format, options);
    const found = await format.findStreamInfo(null);
    if (found < 0) throw io.failure ?? avError(found, `find the tracks of the ${container} file`, 'corrupt_media');
    checkTracks(format, options);
    if (format.nbStreams === 0) throw new ZoetropeError('corrupt_media', `The ${container} file has no tracks.`);
    return { format, io, streams: format.streams, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function checkTracks(format: FormatContext, { container, maxTracks, maxPixels }: OpenFormatOptions): void {
  if (format.nbStreams > maxTracks) throw tooManyTracks(container, maxTracks);
  for (const { codecpar } of format.streams) {
    const { width, height } = codecpar;
    if (width * height <= maxPixels) continue;
    throw new ZoetropeError(
      'payload_too_large',
      `A track measures ${width}×${height}, more than the ${maxPixels} pixels allowed.`,
    );
  }
}

function tooManyTracks(container: string, maxTracks: number): ZoetropeError {
  return new ZoetropeError('payload_too_large', `The ${container} file has more than the ${maxTracks} tracks allowed.`);
}
