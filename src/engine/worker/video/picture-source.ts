import { Frame, Packet, type CodecContext } from 'node-av/lib';
import { AV_CODEC_ID_H264, AV_NOPTS_VALUE, AVERROR_EAGAIN, AVERROR_ENOMEM, AVERROR_EOF } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { ObjectStore } from '../../../objects/object-store.ts';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import { setOptions } from '../av.ts';
import { fillPacket, openDecoder } from '../../packets/decoder.ts';
import { readPacketFile, type PacketFile, type StoredPacket } from '../../packets/packet-file.ts';

/** A decoded picture. The frame is the source's and good until the next one is asked for. */
export interface DecodedPicture {
  readonly frame: Frame;
  /** Presentation time since time 0, later than that of the picture before. */
  readonly time90k: number;
}

/** Pictures may grow inside a file, up to this many times what was described, or {@link ALWAYS_ALLOWED_PIXELS}. */
const GROWTH = 4;
const ALWAYS_ALLOWED_PIXELS = 4096 * 2304;

/** Which pictures matter. */
export interface PictureSourceOptions {
  /** Pictures come out too that lack what they refer to. */
  readonly showsDamaged?: boolean;
  /** Earlier pictures may be missing, as far as none refers to them. */
  readonly from90k?: number;
}

/**
 * Decodes packet files one after the other, in one thread: a process is one of one a core. Damage is passed over as FFmpeg passes over it, what can be
 * concealed is concealed, the rest is missing.
 */
export class PictureSource implements Disposable {
  readonly #objects: ObjectStore;
  readonly #track: VideoTrack;
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  #decoder: CodecContext | undefined;
  #faults = 0;
  #lastTime90k = Number.NEGATIVE_INFINITY;

  readonly #options: PictureSourceOptions;
  #skips = false;

  constructor(objects: ObjectStore, track: VideoTrack, options: PictureSourceOptions = {}) {
    this.#options = options;
    this.#objects = objects;
    this.#track = track;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** Packets that the decoder did not take. */
  get faults(): number {
    return this.#faults;
  }

  /** All pictures of these parts, in the order of their presentation. Ends early when the caller does. */
  async *pictures(keys: readonly string[]): AsyncGenerator<DecodedPicture, void, void> {
    let coming = this.#read(keys[0]);
    for (let next = 1; coming !== null; next++) {
      const file = await coming;
      coming = this.#read(keys[next]);
      const decoder = (this.#decoder ??= this.#open(file));
      for (const packet of file.packets) {
        this.#send(decoder, packet);
        yield* this.#receive(decoder);
      }
    }
    if (this.#decoder === undefined) return;
    this.#decoder.sendPacketSync(null);
    yield* this.#receive(this.#decoder);
  }

  /** The first picture of a part, from as few packets as it takes. */
  async *keyframe(key: string): AsyncGenerator<DecodedPicture, void, void> {
    const file = await this.#read(key);
    const first = file?.packets[0];
    if (file === null || first === undefined) return;
    const decoder = (this.#decoder ??= this.#open(file));
    this.#send(decoder, first);
    decoder.sendPacketSync(null);
    yield* this.#receive(decoder);
  }

  /** Forgets what was decoded: the next part has nothing to do with the last. */
  restart(): void {
    this.#decoder?.freeContext();
    this.#decoder = undefined;
    this.#skips = false;
    this.#lastTime90k = Number.NEGATIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.restart();
    this.#frame.free();
    this.#packet.free();
  }

  #read(key: string | undefined): Promise<PacketFile> | null {
    if (key === undefined) return null;
    const file = this.#objects.get(key).then(readPacketFile);
    // It may be awaited after another failure, or never.
    file.catch(() => undefined);
    return file;
  }

  #open(file: PacketFile): CodecContext {
    const described = this.#track.codedWidth * this.#track.codedHeight;
    return openDecoder(file, {
      maxPixels: Math.max(ALWAYS_ALLOWED_PIXELS, GROWTH * described),
      options: this.#options.showsDamaged === true ? { flags: '+output_corrupt' } : {},
    });
  }

  #send(decoder: CodecContext, packet: StoredPacket): void {
    this.#skipUnneeded(decoder, packet.pts);
    fillPacket(this.#packet, packet);
    const result = decoder.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (result < 0) this.#fault(result);
  }

  /**
   * What is decoded only because a stretch begins inside a group of pictures costs a third less without those that nothing refers to. H.264 alone
   * says so reliably: in HEVC, pictures of a higher layer may refer to them.
   */
  #skipUnneeded(decoder: CodecContext, pts90k: number | null): void {
    const skips = pts90k !== null && pts90k < (this.#options.from90k ?? 0) && decoder.codecId === AV_CODEC_ID_H264;
    if (skips === this.#skips) return;
    this.#skips = skips;
    setOptions(decoder, { skip_frame: skips ? 'noref' : 'default' });
  }

  *#receive(decoder: CodecContext): Generator<DecodedPicture, void, void> {
    for (;;) {
      const result = decoder.receiveFrameSync(this.#frame);
      if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
      if (result < 0) return this.#fault(result);
      yield { frame: this.#frame, time90k: this.#timeOf(this.#frame) };
      this.#frame.unref();
    }
  }

  #timeOf(frame: Frame): number {
    const time = frame.bestEffortTimestamp;
    const next = this.#lastTime90k + 1;
    this.#lastTime90k = time === AV_NOPTS_VALUE ? this.#guess() : Math.max(Number(time), next);
    return this.#lastTime90k;
  }

  /** Where a picture has no time at all, it follows at the track's rate. */
  #guess(): number {
    if (this.#lastTime90k === Number.NEGATIVE_INFINITY) return 0;
    return this.#lastTime90k + Math.max(1, Math.round(90_000 / (this.#track.frameRate ?? 25)));
  }

  #fault(result: number): void {
    if (result === AVERROR_ENOMEM) {
      throw new ZoetropeError('engine_failed', 'There is not enough memory to decode the video.');
    }
    this.#faults += 1;
  }
}
