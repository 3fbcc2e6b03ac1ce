import { ZoetropeError } from '../../../base/errors.ts';
import type { AacInfo, InitInfo } from '../../../packager/cmaf/init-reader.ts';
import {
  readMuxedInit,
  readMuxedSegment,
  selectTrackInit,
  type MuxedInfo,
  type ReadMuxedSegment,
} from '../../../packager/cmaf/muxed-reader.ts';

/** What the init segments of a clip's source say of their tracks. */
export class ClipTracks {
  readonly #inits: readonly { readonly bytes: Uint8Array; readonly info: MuxedInfo }[];

  /** @throws corrupt_media, unsupported_media */
  constructor(inits: readonly Uint8Array[]) {
    this.#inits = inits.map((bytes) => ({ bytes, info: readMuxedInit(bytes) }));
  }

  /** Pictures of an init segment. @throws unsupported_media when it has none */
  video(init: number): Exclude<InitInfo, AacInfo> {
    const { video } = this.#of(init).info;
    if (video !== null) return video;
    throw new ZoetropeError('unsupported_media', 'A clip needs pictures; this stretch has sound alone.');
  }

  /** Sound of an init segment. @throws internal when it has none */
  audio(init: number): AacInfo {
    const { audio } = this.#of(init).info;
    if (audio !== null) return audio;
    throw new ZoetropeError('internal', `Init segment ${init} of a clip has no sound.`);
  }

  /** An init segment of the pictures, or of the sound, alone. @throws not_found when it has none */
  initOf(init: number, kind: 'video' | 'audio'): Uint8Array {
    return selectTrackInit(this.#of(init).bytes, kind);
  }

  /** What a segment holds of each. @throws corrupt_media */
  read(init: number, segment: Uint8Array): ReadMuxedSegment {
    return readMuxedSegment(this.#of(init).bytes, segment);
  }

  #of(init: number): { readonly bytes: Uint8Array; readonly info: MuxedInfo } {
    const found = this.#inits[init];
    if (found === undefined) throw new ZoetropeError('internal', `A clip's source has no init segment ${init}.`);
    return found;
  }
}
