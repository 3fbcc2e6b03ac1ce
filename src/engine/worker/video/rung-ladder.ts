import type { Frame } from 'node-av/lib';
import type { EncodedRendition, VideoRung } from '../../transcoder.ts';
import type { Progress } from '../transcode-context.ts';
import type { CpuMeter } from './cpu-meter.ts';
import type { PictureClock } from './picture-clock.ts';
import type { PictureColour } from './picture-colour.ts';
import { PictureScaler } from './picture-scaler.ts';
import { RenditionWriter, type RungSound } from './rendition-writer.ts';
import type { SegmentStore } from './segment-store.ts';
import { VideoEncoder } from './video-encoder.ts';

/** What all rungs share. */
export interface LadderDeps {
  readonly colour: PictureColour;
  readonly clock: PictureClock;
  readonly store: SegmentStore;
  readonly meter: CpuMeter;
  /** Written beside the pictures of every rung; left out: pictures alone. */
  readonly sound?: RungSound | null;
}

/** A rung with what works for it. */
interface Step {
  readonly rung: VideoRung;
  readonly encoder: VideoEncoder;
  readonly writer: RenditionWriter;
  /** The step whose picture is scaled; null: the picture that comes in. */
  readonly from: number | null;
  /** Null where the picture has the size already. */
  readonly scaler: PictureScaler | null;
}

/** Codecs whose encoders work in threads of their own even when there is only one. */
const THREADED_CODECS: ReadonlySet<string> = new Set(['hevc', 'av1']);

/** Encodes each picture for every rung. A rung's picture is scaled from the smallest rung that is not smaller, which costs less than from the whole. */
export class RungLadder implements Disposable {
  readonly #deps: LadderDeps;
  readonly #steps: Step[] = [];
  readonly #order: readonly VideoRung[];

  /** Pictures that come in have the size of {@link largestOf} the rungs. */
  constructor(rungs: readonly VideoRung[], deps: LadderDeps) {
    this.#deps = deps;
    this.#order = rungs;
    try {
      for (const rung of bySize(rungs)) this.#steps.push(this.#open(rung, largestOf(rungs)));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The next picture in the order of their presentation. */
  encode(picture: Frame, time90k: number): void {
    const { clock, meter } = this.#deps;
    const { index, isFirst } = clock.next(time90k);
    const pictures: Frame[] = [];
    meter.charge(null);
    for (const { rung, encoder, writer, from, scaler } of this.#steps) {
      const source = from === null ? picture : (pictures[from] ?? picture);
      const scaled = scaler === null ? source : scaler.scale(source);
      pictures.push(scaled);
      for (const coded of encoder.encode(scaled, index, isFirst)) this.#write(coded, encoder, writer);
      meter.charge(rung.id);
    }
  }

  /** What the rungs became, in the order they were asked for; the clock must be finished. Encoders may hold many pictures back until now. */
  async finish(progress: Progress): Promise<readonly EncodedRendition[]> {
    const { meter } = this.#deps;
    const renditions = new Map<string, EncodedRendition>();
    for (const { rung, encoder, writer } of this.#steps) {
      meter.charge(null);
      for (const coded of encoder.finish()) {
        this.#write(coded, encoder, writer);
        meter.charge(rung.id);
        await progress.at(1);
        meter.charge(null);
      }
      renditions.set(rung.id, writer.finish());
      meter.charge(rung.id);
    }
    return this.#order.flatMap(({ id }) => renditions.get(id) ?? []);
  }

  /** How the CPU time fell to rungs. */
  shares(): Readonly<Record<string, number>> {
    return this.#deps.meter.shares(
      this.#order.map(({ id, spec }) => ({
        id,
        usesThreads: THREADED_CODECS.has(spec.codec),
        weight: spec.width * spec.height,
      })),
    );
  }

  [Symbol.dispose](): void {
    for (const { encoder, scaler } of this.#steps.splice(0)) {
      encoder[Symbol.dispose]();
      scaler?.[Symbol.dispose]();
    }
  }

  #open(rung: VideoRung, incoming: Size): Step {
    const { colour, clock, store, sound = null } = this.#deps;
    const { spec } = rung;
    const holds = (size: Size): boolean => size.width >= spec.width && size.height >= spec.height;
    const above = this.#steps.findLastIndex((step) => holds(step.rung.spec));
    const from = above === -1 ? null : above;
    const source: Size = this.#steps[above]?.rung.spec ?? incoming;
    const isSame = source.width === spec.width && source.height === spec.height;
    const encoder = new VideoEncoder(spec, colour);
    return {
      rung,
      encoder,
      writer: new RenditionWriter(rung, { clock, store, sound }),
      from,
      scaler: isSame ? null : new PictureScaler(spec.width, spec.height),
    };
  }

  #write(coded: Parameters<RenditionWriter['add']>[0], encoder: VideoEncoder, writer: RenditionWriter): void {
    writer.add(coded, encoder.extradata, this.#deps.colour);
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of the rung with the most pixels. */
export function largestOf(rungs: readonly VideoRung[]): Size {
  const { width, height } = bySize(rungs)[0]?.spec ?? { width: 0, height: 0 };
  return { width, height };
}

function bySize(rungs: readonly VideoRung[]): readonly VideoRung[] {
  return rungs.toSorted((a, b) => b.spec.width * b.spec.height - a.spec.width * a.spec.height);
}
