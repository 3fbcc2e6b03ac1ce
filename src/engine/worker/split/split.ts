import { Packet, type Stream } from 'node-av/lib';
import { AVDISCARD_ALL, AVERROR_EOF } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import { trackParameters } from '../../packets/decoder.ts';
import type { SplitRequest, SplitResult } from '../../transcoder.ts';
import { avError } from '../av.ts';
import { checkDuration } from '../describe.ts';
import { encryptedTrack, isProtected } from '../demux/describe-tracks.ts';
import { openMediaSource, type MediaSource } from '../demux/media-source.ts';
import type { TranscodeContext } from '../transcode-context.ts';
import { SegmentStore } from '../video/segment-store.ts';
import { AudioSplitter, skippedSamples } from './audio-splitter.ts';
import { CaptionRoom, CaptionSplitter } from './caption-splitter.ts';
import { FileClock } from './file-clock.ts';
import { takePacket, type SourcePacket } from './source-packet.ts';
import { VideoSplitter } from './video-splitter.ts';

/** A container can pack packets a thousandfold; small ones are stored with more around them than in it. */
const MAX_GROWTH = 8;
const ALWAYS_ALLOWED_BYTES = 128 << 20;
/** What may be read before it is known when the first picture is shown. */
const MAX_WAITING_BYTES = 128 << 20;
/** So many failures in a row are the end of what can be read. */
const MAX_FAILURES = 500;
const TICKS_PER_MS = 90;
/** Containers that count milliseconds miss the first sample by less. */
const ROUNDING_90K = 135;
/** A file may be shorter than it says by a second and this part, before it counts as cut off. */
const CUT_OFF_PART = 0.02;

/** Does {@link Transcoder.split} in this process. */
export async function split(request: SplitRequest, { objects, progress }: TranscodeContext): Promise<SplitResult> {
  await using source = await openMediaSource(request.ref, request.limits, objects);
  const store = new SegmentStore(objects, source.sizeBytes * MAX_GROWTH + ALWAYS_ALLOWED_BYTES);
  using splitter = new Splitter(request, source, store);
  const reading = await readPackets(source, async (packet) => {
    await splitter.add(packet);
    await progress.at(source.open.io.fraction);
  });
  const result = await splitter.finish(reading);
  await store.settled();
  return result;
}

interface Reading {
  /** Packets that could not be read. */
  readonly failures: number;
  /** Set when reading ended before the end. */
  readonly stoppedBy: string | null;
}

async function readPackets({ open }: MediaSource, take: (packet: Packet) => Promise<void>): Promise<Reading> {
  using packet = new Packet();
  packet.alloc();
  let failures = 0;
  for (let inRow = 0; inRow < MAX_FAILURES;) {
    const result = await open.format.readFrame(packet);
    if (open.io.failure !== undefined) throw open.io.failure;
    if (result === AVERROR_EOF) return { failures, stoppedBy: null };
    if (result < 0) {
      failures += 1;
      inRow += 1;
      if (inRow === MAX_FAILURES) return { failures, stoppedBy: avError(result, 'read on', 'corrupt_media').message };
      continue;
    }
    inRow = 0;
    await take(packet);
    packet.unref();
  }
  return { failures, stoppedBy: null };
}

interface Waiting {
  readonly index: number;
  readonly packet: SourcePacket;
}

class Splitter implements Disposable {
  readonly #request: SplitRequest;
  readonly #source: MediaSource;
  readonly #clock: FileClock;
  readonly #streams: ReadonlyMap<number, Stream>;
  readonly #checksProtection: boolean;
  readonly #video: VideoSplitter | null;
  readonly #audio: ReadonlyMap<number, AudioSplitter>;
  readonly #captions: ReadonlyMap<number, CaptionSplitter>;
  /** When time 0 is, on the resolved clock of the file. */
  #start90k: number | null = null;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** What was last added to the times of each track. */
  readonly #offsets = new Map<number, number>();

  constructor(request: SplitRequest, source: MediaSource, store: SegmentStore) {
    this.#request = request;
    this.#source = source;
    this.#clock = new FileClock(source.container);
    this.#checksProtection = source.container === 'mp4' || source.container === 'mov';
    const { video, audio, subtitles, outputPrefix } = request;
    const wanted = new Set([video, ...audio, ...subtitles].flatMap((track) => track?.index ?? []));
    const { streams } = source.open;
    for (const stream of streams) if (!wanted.has(stream.index)) stream.discard = AVDISCARD_ALL;
    this.#streams = new Map(streams.map((stream) => [stream.index, stream]));
    this.#video =
      video === null
        ? null
        : new VideoSplitter({
            header: { parameters: trackParameters(this.#stream(video.index)), timeBase: { num: 1, den: 90_000 } },
            container: source.container,
            frameRate: video.frameRate,
            prefix: `${outputPrefix}video-`,
            store,
          });
    this.#audio = new Map(
      audio.map(({ index }) => {
        const stream = this.#stream(index);
        const timeBase = { num: 1, den: stream.codecpar.sampleRate };
        const header = { parameters: trackParameters(stream), timeBase };
        return [index, new AudioSplitter({ stream, header, prefix: `${outputPrefix}audio-${index}-`, store })];
      }),
    );
    const room = new CaptionRoom();
    this.#captions = new Map(subtitles.map(({ index, codec }) => [index, new CaptionSplitter(index, codec, room)]));
  }

  async add(native: Packet): Promise<void> {
    const stream = this.#streams.get(native.streamIndex);
    if (stream === undefined || !this.#isWanted(stream.index)) return;
    if (this.#checksProtection && isProtected(native)) throw encryptedTrack(stream.index);
    const taken = takePacket(native, stream);
    if (taken === null) return;
    const packet = this.#onClock(stream.index, taken);
    if (stream.index === this.#request.video?.index) await this.#addPicture(packet);
    else await this.#addOther(stream.index, packet);
  }

  async finish({ failures, stoppedBy }: Reading): Promise<SplitResult> {
    const video = (await this.#video?.finish()) ?? null;
    if (this.#video !== null && video === null) {
      throw new ZoetropeError('corrupt_media', 'The file holds no picture that can be decoded: it has no keyframe.');
    }
    await this.#release(this.#video?.start90k ?? this.#start90k ?? 0);
    const audio = await Promise.all([...this.#audio.values()].map((track) => track.finish()));
    if (video === null && audio.every(({ endSample }) => endSample === 0)) {
      throw new ZoetropeError('corrupt_media', 'The file holds no sound that can be read.');
    }
    const durationMs = this.#end90k() / TICKS_PER_MS;
    checkDuration(durationMs, this.#request.limits.maxDurationMs);
    const collectors = [this.#video, ...this.#audio.values(), ...this.#captions.values()];
    return {
      durationMs,
      video,
      audio,
      subtitles: [...this.#captions.values()].map((track) => track.finish()),
      warnings: [
        ...this.#readingWarnings(failures, stoppedBy, durationMs),
        ...collectors.flatMap((collector) => collector?.warnings ?? []),
      ],
    };
  }

  [Symbol.dispose](): void {
    this.#video?.[Symbol.dispose]();
    for (const track of this.#audio.values()) track[Symbol.dispose]();
  }

  #onClock(index: number, packet: SourcePacket): SourcePacket {
    const decoding90k = packet.dts90k ?? packet.pts90k;
    const offset90k =
      this.#captions.has(index) || decoding90k === null
        ? this.#clock.offset90k
        : this.#clock.offsetAt(index, decoding90k, packet.duration90k);
    const isNewClock = offset90k !== (this.#offsets.get(index) ?? 0);
    this.#offsets.set(index, offset90k);
    if (offset90k === 0 && !isNewClock) return packet;
    const move = (time: number | null): number | null => (time === null ? null : time + offset90k);
    return { ...packet, isNewClock, pts90k: move(packet.pts90k), dts90k: move(packet.dts90k) };
  }

  async #addPicture(packet: SourcePacket): Promise<void> {
    const { maxDurationMs } = this.#request.limits;
    await this.#video?.add(packet);
    const start90k = this.#video?.start90k ?? null;
    if (start90k !== null && this.#start90k === null) await this.#release(start90k);
    checkDuration((this.#video?.end90k ?? 0) / TICKS_PER_MS, maxDurationMs);
  }

  async #addOther(index: number, packet: SourcePacket): Promise<void> {
    if (this.#video === null && this.#start90k === null && index === this.#request.audio[0]?.index) {
      await this.#release(soundStart(packet, this.#stream(index)));
    }
    if (this.#start90k !== null) return await this.#deliver({ index, packet }, this.#start90k);
    this.#waiting.push({ index, packet });
    this.#waitingBytes += packet.data.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      throw new ZoetropeError(
        'corrupt_media',
        `In the first ${MAX_WAITING_BYTES >> 20} MiB of sound no picture begins that can be decoded. Send the file without its video track.`,
      );
    }
  }

  async #release(start90k: number): Promise<void> {
    if (this.#start90k !== null) return;
    this.#start90k = start90k;
    const waiting = this.#waiting.splice(0);
    for (const one of waiting) await this.#deliver(one, start90k);
  }

  async #deliver({ index, packet }: Waiting, start90k: number): Promise<void> {
    const time = packet.pts90k ?? packet.dts90k;
    const time90k = time === null ? null : time - start90k;
    const audio = this.#audio.get(index);
    await audio?.add(packet, time90k);
    if (audio !== undefined) checkDuration(audio.end90k / TICKS_PER_MS, this.#request.limits.maxDurationMs);
    if (time90k !== null) this.#captions.get(index)?.add(packet, time90k);
  }

  #end90k(): number {
    return Math.max(this.#video?.end90k ?? 0, ...[...this.#audio.values()].map((track) => track.end90k));
  }

  #readingWarnings(failures: number, stoppedBy: string | null, durationMs: number): readonly string[] {
    const saidMs = Number(this.#source.open.format.duration) / 1000;
    const isShort = saidMs > 0 && this.#clock.jumps === 0 && durationMs < saidMs * (1 - CUT_OFF_PART) - 1000;
    const seconds = (ms: number): string => (ms / 1000).toFixed(1);
    return [
      ...(stoppedBy === null
        ? []
        : [`The file could not be read to its end, only what comes before was taken. ${stoppedBy}`]),
      ...(failures > 0 && stoppedBy === null ? [`${failures} packets could not be read.`] : []),
      ...(isShort ? [`The file says that it lasts ${seconds(saidMs)} s; it holds ${seconds(durationMs)} s.`] : []),
      ...(this.#clock.jumps > 0
        ? [`The clock of the file begins anew ${this.#clock.jumps} times; it was joined.`]
        : []),
    ];
  }

  #isWanted(index: number): boolean {
    return index === this.#request.video?.index || this.#audio.has(index) || this.#captions.has(index);
  }

  #stream(index: number): Stream {
    const stream = this.#source.open.streams.find((one) => one.index === index);
    if (stream === undefined) throw new ZoetropeError('invalid_argument', `The file has no track ${index}.`);
    return stream;
  }
}

/** When the first sample is heard: behind what the container wants skipped. What it puts before 0 is there to begin to decode with. */
function soundStart(packet: SourcePacket, { codecpar }: Stream): number {
  const time90k = packet.pts90k ?? packet.dts90k ?? 0;
  const heard90k = time90k + (skippedSamples(packet).atStart * 90_000) / codecpar.sampleRate;
  const isRounded = Math.abs(heard90k) <= ROUNDING_90K;
  return time90k < 0 && !isRounded ? Math.max(0, heard90k) : heard90k;
}
