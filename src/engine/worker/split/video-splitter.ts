import { AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import { pts90k } from '../../../base/time.ts';
import type { PacketFileHeader } from '../../packets/packet-file.ts';
import { MAX_PREROLL_90K, type SplitVideo, type VideoPart } from '../../transcoder.ts';
import type { SegmentStore } from '../video/segment-store.ts';
import { isUntimedMpeg4, Mpeg4Order } from './mpeg4-order.ts';
import { checkPartSize, PartWriter } from './part-writer.ts';
import { lacksPresentationTimes, PresentationOrder } from './presentation-order.ts';
import { snapFrameRate } from './frame-rate.ts';
import type { SourcePacket } from './source-packet.ts';

/** Parts are ended by the first keyframe that comes so long after their own. */
const PART_90K = 2 * 90_000;
/** A part that is longer may be cut inside, about once in {@link CUT_90K}. */
const LONG_PART_90K = 3 * 90_000;
const CUT_90K = 90_000;
/** An edit list can hide the first pictures of a file; so many behind the first one shown are looked at for one that comes before it. */
const REORDER_DEPTH = 32;
/** How long a picture stays of which nothing at all is known. */
const UNKNOWN_90K = 3600;

/** Where the pictures of a file go. */
export interface VideoSplitterOptions {
  readonly header: PacketFileHeader;
  readonly container: string;
  /** Pictures a second by the container; null where unknown. */
  readonly frameRate: number | null;
  readonly prefix: string;
  readonly store: SegmentStore;
}

interface Part {
  readonly key: string;
  readonly from90k: number;
  readonly times90k: number[];
  hasLeading: boolean;
}

/** Lays the pictures of a file down as parts that begin with keyframes. Their times count from the first picture that is shown. */
export class VideoSplitter implements Disposable {
  readonly #writer: PartWriter;
  readonly #header: PacketFileHeader;
  readonly #codec: string;
  readonly #nominal90k: number;
  readonly #order: PresentationOrder | null;
  readonly #mpeg4: Mpeg4Order | null;
  /** The group of pictures under way, where their order is to be found out. */
  #group: SourcePacket[] = [];
  /** Of the packets in memory that wait for others. */
  #keptBytes = 0;
  readonly #parts: Part[] = [];
  #start90k: number | null = null;
  /** From the first keyframe on, until it is known when the first picture is shown. */
  #held: SourcePacket[] | null = [];
  /** Times that are taken, of this part and the one before, each with one from which on to look for a free one: no two pictures are shown at once. */
  #taken = new Map<number, number>();
  #takenBefore: ReadonlyMap<number, number> = new Map();
  #previous90k = 0;
  #last90k = -1;
  #lastDuration90k = 0;
  #droppedAtStart = 0;
  #doubled = 0;

  constructor({ header, container, frameRate, prefix, store }: VideoSplitterOptions) {
    const { codec, video } = header.parameters;
    this.#order = lacksPresentationTimes(container, codec, video?.videoDelay ?? 0)
      ? new PresentationOrder(header)
      : null;
    this.#mpeg4 = isUntimedMpeg4(container, codec) ? new Mpeg4Order() : null;
    this.#writer = new PartWriter(header, prefix, store);
    this.#header = header;
    this.#codec = codec;
    this.#nominal90k = frameRate === null ? UNKNOWN_90K : 90_000 / frameRate;
  }

  /** When the first picture is shown, on the clock of the packets; null: not known yet. */
  get start90k(): number | null {
    return this.#start90k;
  }

  /** End of the last picture so far. 90 kHz ticks from the first. */
  get end90k(): number {
    return Math.max(0, Math.round(this.#last90k + (this.#lastDuration90k || this.#nominal90k)));
  }

  async add(packet: SourcePacket): Promise<void> {
    if (this.#mpeg4 !== null) {
      for (const timed of this.#mpeg4.add(packet)) await this.#accept(timed);
      return;
    }
    if (this.#order === null) return await this.#accept(packet);
    if (packet.isKey) await this.#acceptGroup();
    this.#keep(this.#group, packet);
  }

  async #acceptGroup(): Promise<void> {
    for (const packet of this.#order?.resolve(this.#group.splice(0)) ?? []) await this.#accept(packet);
  }

  async #accept(packet: SourcePacket): Promise<void> {
    if (this.#held === null) return await this.#write(packet);
    const { length } = this.#held;
    if (length === 0 && !packet.isKey) {
      this.#droppedAtStart += 1;
      return;
    }
    if (length > 0 && packet.isKey) await this.#release();
    if (this.#held === null) return await this.#write(packet);
    this.#keep(this.#held, packet);
    const shown = this.#held.filter((held) => !isHidden(held)).length;
    if (!isHidden(this.#held[0] ?? packet) || shown > REORDER_DEPTH) await this.#release();
  }

  #keep(packets: SourcePacket[], packet: SourcePacket): void {
    this.#keptBytes = packets.length === 0 ? packet.data.length : this.#keptBytes + packet.data.length;
    checkPartSize(this.#keptBytes, this.#header);
    packets.push(packet);
  }

  /** What it came to; null: there was no picture. */
  async finish(): Promise<SplitVideo | null> {
    await this.#acceptGroup();
    for (const timed of this.#mpeg4?.finish() ?? []) await this.#accept(timed);
    if (this.#held !== null && this.#held.length > 0) await this.#release();
    await this.#writer.close();
    const times = this.#parts.flatMap((part) => part.times90k).toSorted((a, b) => a - b);
    if (times.length === 0) return null;
    const { end90k } = this;
    const frameRate = (times.length * 90_000) / Math.max(1, end90k);
    return {
      parts: this.#parts.map(describePart),
      frames: times.length,
      end90k: pts90k(end90k),
      frameRate: snapFrameRate(frameRate),
    };
  }

  get warnings(): readonly string[] {
    return [
      ...(this.#droppedAtStart > 0
        ? [
            `The first ${this.#droppedAtStart} pictures cannot be decoded without those before them; they were left out.`,
          ]
        : []),
      ...(this.#doubled > 0 ? [`${this.#doubled} pictures had the time of another; they were moved apart.`] : []),
    ];
  }

  [Symbol.dispose](): void {
    this.#order?.[Symbol.dispose]();
  }

  async #release(): Promise<void> {
    const held = this.#held ?? [];
    this.#held = null;
    const shown = held.filter((packet) => !isHidden(packet));
    const times = (shown.length > 0 ? shown : held).map(timeOf).filter((time) => time !== null);
    // Pictures that follow the first keyframe and are shown before it refer to what is not there.
    const [first] = held;
    const leads = first === undefined || isHidden(first) ? null : timeOf(first);
    this.#start90k = leads ?? times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
    if (!Number.isFinite(this.#start90k)) this.#start90k = 0;
    for (const packet of held) await this.#write(packet);
  }

  async #write(packet: SourcePacket): Promise<void> {
    const start = this.#start90k ?? 0;
    const absolute = timeOf(packet) ?? start + this.#previous90k + this.#nominal90k;
    const wanted90k = Math.round(absolute - start);
    const hidden = isHidden(packet);
    if (wanted90k < 0 && !hidden && !packet.isKey && this.#parts.length <= 1) {
      this.#droppedAtStart += 1;
      return;
    }
    if (packet.isKey) await this.#keyframe(wanted90k);
    const part = this.#parts.at(-1);
    if (part === undefined) return;
    const time90k = hidden ? wanted90k : this.#take(wanted90k);
    if (!hidden && this.#isShown(packet)) this.#count(part, time90k, packet.duration90k);
    this.#previous90k = time90k;
    this.#writer.add({
      pts: time90k,
      dts: packet.dts90k === null ? null : Math.round(packet.dts90k - start),
      duration: Math.round(packet.duration90k),
      flags: packet.flags,
      data: packet.data,
      sideData: packet.sideData,
    });
  }

  async #keyframe(time90k: number): Promise<void> {
    const part = this.#parts.at(-1);
    const isOver = part === undefined || this.#parts.length === 1 || time90k - part.from90k >= PART_90K;
    if (!isOver) return;
    await this.#writer.close();
    this.#takenBefore = this.#taken;
    this.#taken = new Map();
    const from90k = part === undefined ? 0 : time90k;
    this.#parts.push({ key: this.#writer.key, from90k, times90k: [], hasLeading: false });
  }

  #count(part: Part, time90k: number, duration90k: number): void {
    part.times90k.push(time90k);
    if (time90k < part.from90k) part.hasLeading = true;
    if (time90k <= this.#last90k) return;
    this.#last90k = time90k;
    this.#lastDuration90k = duration90k;
  }

  #take(wanted90k: number): number {
    let time90k = wanted90k;
    for (;;) {
      const next = this.#taken.get(time90k) ?? this.#takenBefore.get(time90k);
      if (next === undefined) break;
      time90k = next;
    }
    if (time90k !== wanted90k) this.#doubled += 1;
    this.#taken.set(time90k, time90k + 1);
    this.#taken.set(wanted90k, time90k + 1);
    return time90k;
  }

  /** VP8 has packets that update references and are never shown (RFC 6386 §9.1, `show_frame`). */
  #isShown({ data }: SourcePacket): boolean {
    return this.#codec !== 'vp8' || ((data[0] ?? 0) & 0x10) !== 0;
  }
}

function describePart({ key, from90k, times90k, hasLeading }: Part): VideoPart {
  return {
    key,
    from90k: pts90k(from90k),
    frames: times90k.length,
    cuts90k: cutsOf(from90k, times90k).map(pts90k),
    hasLeading,
  };
}

/** The first picture of each second behind the keyframe, in parts that are worth cutting. */
function cutsOf(from90k: number, times90k: readonly number[]): readonly number[] {
  const bySecond = new Map<number, number>();
  let last90k = from90k;
  for (const time90k of times90k) {
    last90k = Math.max(last90k, time90k);
    const second = Math.floor((time90k - from90k) / CUT_90K);
    if (second < 1 || time90k - from90k > MAX_PREROLL_90K) continue;
    bySecond.set(second, Math.min(time90k, bySecond.get(second) ?? time90k));
  }
  return last90k - from90k < LONG_PART_90K ? [] : [...bySecond.values()].toSorted((a, b) => a - b);
}

/** What an edit list cuts off: decoded for those that refer to it, and not shown. */
function isHidden({ flags }: SourcePacket): boolean {
  return (flags & AV_PKT_FLAG_DISCARD) !== 0;
}

function timeOf({ pts90k: presented, dts90k }: SourcePacket): number | null {
  return presented ?? dts90k;
}
