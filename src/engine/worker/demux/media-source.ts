import { ZoetropeError } from '../../../base/errors.ts';
import type { ObjectStore } from '../../../objects/object-store.ts';
import type { MediaRef } from '../../engine.ts';
import type { MediaLimits } from '../../transcoder.ts';
import { openRandomInput, type RandomInput } from '../input.ts';
import { sniffContainer, SNIFF_BYTES } from '../sniff-container.ts';
import { openFormat, type OpenFormat } from './open-format.ts';

/** Enough for transport streams whose sound begins seconds after the pictures. */
const PROBE_BYTES = 16n << 20n;
const PROBE_US = 10_000_000n;
const BOX_HEADER_BYTES = 16;
/** Before the index; each costs a read. */
const MAX_BOXES = 10_000;

/** An uploaded file that is open. */
export interface MediaSource extends AsyncDisposable {
  readonly container: string;
  readonly sizeBytes: number;
  readonly open: OpenFormat;
}

/** Opens an uploaded file within its limits. @throws unsupported_media, corrupt_media, payload_too_large, missing_input, each with the cause */
export async function openMediaSource(ref: MediaRef, limits: MediaLimits, objects: ObjectStore): Promise<MediaSource> {
  const input = await openRandomInput(ref, objects);
  try {
    const { sizeBytes } = input;
    if (sizeBytes > limits.maxBytes) {
      throw new ZoetropeError(
        'payload_too_large',
        `The file has ${sizeBytes} bytes, more than the ${limits.maxBytes} allowed.`,
      );
    }
    const { name, demuxer } = sniffContainer(await input.read(0, SNIFF_BYTES));
    if (demuxer === null) {
      throw new ZoetropeError('unsupported_media', `The file is a single ${name} picture; send a film or sound.`);
    }
    if (demuxer.startsWith('mov')) await checkMovieIndex(input, name);
    const open = await openFormat(input, {
      container: name,
      demuxer,
      maxTracks: limits.maxTracks,
      maxPixels: limits.maxPixels,
      probeBytes: PROBE_BYTES,
      probeUs: PROBE_US,
    });
    return {
      container: name,
      sizeBytes,
      open,
      async [Symbol.asyncDispose]() {
        await open[Symbol.asyncDispose]();
        await input[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await input[Symbol.asyncDispose]();
    throw error;
  }
}

/** FFmpeg says of a file without `moov` (ISO/IEC 14496-12 §8.2.1) only that its data are invalid; the commonest damage deserves its name. */
async function checkMovieIndex(input: RandomInput, container: string): Promise<void> {
  let at = 0;
  for (let boxes = 0; boxes < MAX_BOXES && at + 8 <= input.sizeBytes; boxes++) {
    const header = await input.read(at, BOX_HEADER_BYTES);
    const size32 = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    const isWide = size32 === 1 && header.length === BOX_HEADER_BYTES;
    const size = isWide ? Number(header.readBigUInt64BE(8)) : size32;
    const end = size === 0 ? input.sizeBytes : at + size;
    if (type === 'moov') {
      if (end <= input.sizeBytes) return;
      throw cutOff(container, `its index (moov) ends at byte ${end}`, input.sizeBytes);
    }
    if (size !== 0 && size < 8) break;
    if (end > input.sizeBytes)
      throw cutOff(container, `its part "${type.replaceAll(/[^ -~]/g, '?')}" ends at byte ${end}`, input.sizeBytes);
    at = end;
  }
  throw new ZoetropeError(
    'corrupt_media',
    `The ${container} file has no index (moov): the recording was not finished. Repair it, or send another.`,
  );
}

function cutOff(container: string, what: string, sizeBytes: number): ZoetropeError {
  return new ZoetropeError(
    'corrupt_media',
    `The ${container} file is cut off before its index (moov) is complete: ${what}, the file at ${sizeBytes}. Send all of it.`,
  );
}
