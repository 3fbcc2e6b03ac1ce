/** Calls `visit` for each box between two offsets of an ISO BMFF file (ISO/IEC 14496-12 4.2); stops at a damaged one. */
function forEachBox(
  view: DataView,
  from: number,
  to: number,
  visit: (type: string, start: number, end: number) => void,
): void {
  let offset = from;
  while (offset + 8 <= to) {
    const size = view.getUint32(offset);
    const end = size === 0 ? to : offset + size;
    if (size === 1 || size < 0 || end > to || end < offset + 8) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((index) => view.getUint8(offset + index)));
    visit(type, offset + 8, end);
    offset = end;
  }
}

/** A sample, in track ticks. */
interface Sample {
  readonly duration: number;
  /** From its decoding to when it is shown. */
  readonly offset: number;
}

/** The samples of a `traf` (14496-12 8.8.7 and 8.8.8). */
function samplesOf(view: DataView, from: number, to: number): Sample[] {
  let defaultDuration = 0;
  const samples: Sample[] = [];
  forEachBox(view, from, to, (type, start) => {
    const flags = view.getUint32(start) & 0xff_ff_ff;
    if (type === 'tfhd') {
      const skip = (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
      if (flags & 0x8) defaultDuration = view.getUint32(start + 8 + skip);
    }
    if (type !== 'trun') return;
    const count = view.getUint32(start + 4);
    let at = start + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    const stride = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
    for (let index = 0; index < count; index += 1) {
      const duration = flags & 0x100 ? view.getUint32(at) : defaultDuration;
      samples.push({ duration, offset: flags & 0x800 ? view.getInt32(at + stride - 4) : 0 });
      at += stride;
    }
  });
  return samples;
}

/** Ticks in a second of the first track of an init segment (14496-12 8.4.2, `mdhd`); 90,000 when it cannot be read. */
export function timescaleOf(init: Uint8Array): number {
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  let timescale = 0;
  const inside = new Set(['moov', 'trak', 'mdia']);
  const look = (type: string, start: number, end: number): void => {
    if (inside.has(type)) forEachBox(view, start, end, look);
    else if (type === 'mdhd' && timescale === 0)
      timescale = view.getUint32(start + (view.getUint8(start) === 1 ? 20 : 12));
  };
  try {
    forEachBox(view, 0, view.byteLength, look);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return timescale > 0 ? timescale : 90_000;
}

/**
 * Where the frames of a CMAF segment start, in seconds from its first one; empty when they cannot be read. From the samples
 * themselves: a player stretches a fragment's duration over the hole behind it. Pictures are the first track of a segment that has sound too.
 */
export function frameOffsets(segment: ArrayBuffer, timescale: number): readonly number[] {
  const view = new DataView(segment);
  const samples: Sample[] = [];
  try {
    forEachBox(view, 0, view.byteLength, (type, start, end) => {
      if (type !== 'moof') return;
      let isFirst = true;
      forEachBox(view, start, end, (inner, from, to) => {
        if (inner === 'traf' && isFirst) samples.push(...samplesOf(view, from, to));
        isFirst &&= inner !== 'traf';
      });
    });
  } catch (error) {
    // A box that claims more than is there: the player plays what it can, stepping goes by the frame interval.
    if (error instanceof RangeError) return [];
    throw error;
  }
  let ticks = 0;
  const shown = samples.map(({ duration, offset }) => {
    const at = ticks + offset;
    ticks += duration;
    return at;
  });
  shown.sort((a, b) => a - b);
  return shown.map((at) => (at - (shown[0] ?? 0)) / timescale);
}
