import { ZoetropeError } from '../../../base/errors.ts';
import { readInit, type AacInfo, type InitInfo } from '../../../packager/cmaf/init-reader.ts';
import { readMediaSegment, type ReadMediaSegment } from '../../../packager/cmaf/media-reader.ts';

/** What the init segments of a clip's source say of their tracks. */
export class ClipTracks {
  readonly #inits: readonly { readonly bytes: Uint8Array; readonly info: InitInfo }[];

  /** @throws corrupt_media, unsupported_media */
  constructor(inits: readonly Uint8Array[]) {
    this.#inits = inits.map((bytes) => ({ bytes, info: readInit(bytes) }));
  }

  /** Pictures of an init segment. @throws unsupported_media when it has none */
  video(init: number): Exclude<InitInfo, AacInfo> {
    const { info } = this.#of(init);
    if (info.codec !== 'mp4a') return info;
    throw new ZoetropeError('unsupported_media', 'A clip needs pictures; this stretch has sound alone.');
  }

  /** Sound of an init segment. @throws internal when it has none */
  audio(init: number): AacInfo {
    const { info } = this.#of(init);
    if (info.codec === 'mp4a') return info;
    throw new ZoetropeError('internal', `Init segment ${init} of a clip has no sound.`);
  }

  /** An init segment of the pictures, or of the sound, alone. */
  initOf(init: number, _kind: 'video' | 'audio'): Uint8Array {
    return this.#of(init).bytes;
  }

  /** What a segment holds of each. @throws corrupt_media */
  read(
    init: number,
    segment: Uint8Array,
  ): { readonly video: ReadMediaSegment | null; readonly audio: ReadMediaSegment | null } {
    const read = readMediaSegment(segment);
    return this.#of(init).info.codec === 'mp4a' ? { video: null, audio: read } : { video: read, audio: null };
  }

  #of(init: number): { readonly bytes: Uint8Array; readonly info: InitInfo } {
    const found = this.#inits[init];
    if (found === undefined) throw new ZoetropeError('internal', `A clip's source has no init segment ${init}.`);
    return found;
  }
}
