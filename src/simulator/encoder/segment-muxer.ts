import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { avChannelLayoutDefault, FormatContext, IOContext, Packet, Rational, type Stream } from 'node-av/lib';
import {
  AVIO_FLAG_WRITE,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_H264,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
} from 'node-av/constants';
import { check } from '../../engine/worker/av.ts';
import type { PictureSize } from '../simulated-camera.ts';
import { SAMPLE_RATE_HZ } from './tone.ts';

/** What segments are wrapped in. */
export type SegmentContainer = 'ts' | 'fmp4';

/** What the tracks are. */
export interface MuxerOptions {
  readonly container: SegmentContainer;
  readonly size: PictureSize;
  readonly framesPerS: number;
  /** H.264 parameter sets as Annex B. */
  readonly parameterSets: Uint8Array;
  /** AudioSpecificConfig. */
  readonly audioConfig: Uint8Array;
}

/** Muxes one picture track and one sound track with FFmpeg, as its own HLS writer does: one muxer, whose output changes with every segment. */
export class SegmentMuxer implements Disposable {
  readonly #options: MuxerOptions;
  readonly #format = new FormatContext();
  readonly #packet = new Packet();
  readonly #directory = mkdtempSync(join(tmpdir(), 'zoetrope-encoder-'));
  readonly #video: Stream;
  readonly #audio: Stream;
  #output: IOContext | null = null;
  /** The init segment; null for MPEG-TS, which has none. */
  readonly init: Uint8Array | null;

  constructor(options: MuxerOptions) {
    this.#options = options;
    const isTs = options.container === 'ts';
    this.#packet.alloc();
    check(this.#format.allocOutputContext2(null, isTs ? 'mpegts' : 'mp4', null), 'open a muxer');
    this.#video = this.#addVideo();
    this.#audio = this.#addAudio();
    if (!isTs) this.#set('movflags', 'frag_custom+empty_moov+default_base_moof');
    this.#open();
    check(this.#format.writeHeaderSync(), 'write the header of a segment');
    this.init = isTs ? null : this.#close();
    if (!isTs) this.#open();
  }

  /** A picture as Annex B. */
  video(data: Uint8Array, frame: number, isKey: boolean): void {
    const { parameterSets, framesPerS, container } = this.#options;
    const bytes = isKey && container === 'ts' ? Buffer.concat([parameterSets, data]) : data;
    this.#write(this.#video, bytes, frame, 1, new Rational(1, framesPerS), isKey);
  }

  audio(data: Uint8Array, position: number, samples: number): void {
    this.#write(this.#audio, data, position, samples, new Rational(1, SAMPLE_RATE_HZ), true);
  }

  /** Ends the segment. */
  cut(): Uint8Array {
    check(this.#format.writeFrameSync(null), 'end a segment');
    const bytes = this.#close();
    this.#open();
    if (this.#options.container === 'ts') this.#set('mpegts_flags', '+resend_headers');
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#format.pb = null;
    this.#output?.closepSync();
    this.#format.freeContext();
    this.#packet.free();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #addVideo(): Stream {
    const { size, framesPerS, parameterSets } = this.#options;
    const stream = this.#format.newStream(null);
    const { codecpar } = stream;
    codecpar.codecType = AVMEDIA_TYPE_VIDEO;
    codecpar.codecId = AV_CODEC_ID_H264;
    codecpar.width = size.width;
    codecpar.height = size.height;
    codecpar.format = AV_PIX_FMT_YUV420P;
    codecpar.extradata = Buffer.from(parameterSets);
    stream.timeBase = new Rational(1, framesPerS);
    return stream;
  }

  #addAudio(): Stream {
    const stream = this.#format.newStream(null);
    const { codecpar } = stream;
    codecpar.codecType = AVMEDIA_TYPE_AUDIO;
    codecpar.codecId = AV_CODEC_ID_AAC;
    codecpar.sampleRate = SAMPLE_RATE_HZ;
    codecpar.channelLayout = avChannelLayoutDefault(1);
    codecpar.format = AV_SAMPLE_FMT_FLTP;
    codecpar.frameSize = 1024;
    codecpar.extradata = Buffer.from(this.#options.audioConfig);
    stream.timeBase = new Rational(1, SAMPLE_RATE_HZ);
    return stream;
  }

  #write(stream: Stream, data: Uint8Array, time: number, duration: number, clock: Rational, isKey: boolean): void {
    const packet = this.#packet;
    packet.unref();
    packet.data = Buffer.from(data);
    packet.pts = BigInt(time);
    packet.dts = BigInt(time);
    packet.duration = BigInt(duration);
    packet.streamIndex = stream.index;
    packet.isKeyframe = isKey;
    packet.rescaleTs(clock, stream.timeBase);
    check(this.#format.writeFrameSync(packet), 'write into a segment');
  }

  #set(option: string, value: string): void {
    const result = this.#format.setOption(option, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
    check(result, `set the muxer's option ${option}=${value}`);
  }

  /** FFmpeg writes to a file: its callbacks need the event loop, which a synchronous call holds. */
  #open(): void {
    const output = new IOContext();
    check(output.open2Sync(join(this.#directory, 'segment'), AVIO_FLAG_WRITE), 'open a segment');
    this.#output = output;
    this.#format.pb = output;
  }

  #close(): Uint8Array {
    this.#format.pb = null;
    const result = this.#output?.closepSync() ?? 0;
    this.#output = null;
    check(result, 'close a segment');
    return readFileSync(join(this.#directory, 'segment'));
  }
}
