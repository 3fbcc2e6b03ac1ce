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

/** Sample durations of a `traf`, in track ticks (14496-12 8.8.7 and 8.8.8). */
function durationsOf(view: DataView, from: number, to: number): number[] {
  let defaultDuration = 0;
  const durations: number[] = [];
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
      durations.push(flags & 0x100 ? view.getUint32(at) : defaultDuration);
      at += stride;
    }
  });
  return durations;
}

/** Ticks in a second of the first track of an init segment (14496-12 8.4.2, `mdhd`); 90,000 when it cannot be read. */
export function timescaleOf(init: Uint8Array): number {
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  let timescale = 90_000;
  const inside = new Set(['moov', 'trak', 'mdia']);
  const look = (type: string, start: number, end: number): void => {
    if (inside.has(type)) forEachBox(view, start, end, look);
    else if (type === 'mdhd') timescale = view.getUint32(start + (view.getUint8(start) === 1 ? 20 : 12));
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
 * themselves: a player stretches a fragment's duration over the hole behind it.
 */
export function frameOffsets(segment: ArrayBuffer, timescale: number): readonly number[] {
  const view = new DataView(segment);
  const durations: number[] = [];
  try {
    forEachBox(view, 0, view.byteLength, (type, start, end) => {
      if (type !== 'moof') return;
      forEachBox(view, start, end, (inner, from, to) => {
        if (inner === 'traf') durations.push(...durationsOf(view, from, to));
      });
    });
  } catch (error) {
    // A box that claims more than is there: the player plays what it can, stepping goes by the frame interval.
    if (error instanceof RangeError) return [];
    throw error;
  }
  let ticks = 0;
  return durations.map((value) => {
    const offset = ticks / timescale;
    ticks += value;
    return offset;
  });
}
