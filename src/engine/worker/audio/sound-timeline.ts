/** Sound of a stretch: one plane of samples a channel, silence where nothing was put. Positions count samples of its rate from time 0. */
export class SoundTimeline {
  readonly sampleRateHz: number;
  readonly from: number;
  readonly planes: readonly Float32Array<ArrayBuffer>[];
  readonly #bytes: readonly Uint8Array[];

  constructor(options: {
    readonly sampleRateHz: number;
    readonly channels: number;
    readonly from: number;
    readonly to: number;
  }) {
    const { sampleRateHz, channels, from, to } = options;
    this.sampleRateHz = sampleRateHz;
    this.from = from;
    this.planes = Array.from({ length: channels }, () => new Float32Array(Math.max(0, to - from)));
    this.#bytes = this.planes.map((plane) => new Uint8Array(plane.buffer));
  }

  /** Behind the last sample that there is room for. */
  get to(): number {
    return this.from + (this.planes[0]?.length ?? 0);
  }

  /** Puts samples (planes of native floats) at a position; what does not fall into the stretch, or lies before time 0, is left out. */
  place(position: number, samples: number, planes: readonly Uint8Array[]): void {
    const first = Math.max(position, this.from, 0);
    const end = Math.min(position + samples, this.to);
    if (first >= end) return;
    for (const [channel, bytes] of this.#bytes.entries()) {
      bytes.set(planes[channel]?.subarray((first - position) * 4, (end - position) * 4) ?? [], (first - this.from) * 4);
    }
  }
}
