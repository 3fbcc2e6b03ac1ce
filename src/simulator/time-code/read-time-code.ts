/**
 * Reads the capture time that {@link writeTimeCode} drew, from anything that can tell the brightness of a pixel (0–255).
 *
 * The code takes two rows of 36 cells in the bottom right corner, each cell 1/80 of the picture's width, one cell away from the edges. A row begins
 * and ends with two sync cells (row 0: white, black … black, white; row 1 the opposite), which also tell what white and black look like after
 * coding and scaling. Between them stand 32 bits, white for 1, most significant first: 48 bits of milliseconds since the Unix epoch, then their
 * CRC-16/CCITT-FALSE.
 *
 * It refers to nothing outside itself, so that its source can be run in a web page (see {@link TIME_CODE_READER_SOURCE}).
 *
 * @returns milliseconds since the Unix epoch, or null when there is no code or it does not check
 */
export function readTimeCodeAt(lumaAt: (x: number, y: number) => number, width: number, height: number): number | null {
  const cell = width / 80;
  const left = width - 37 * cell;
  const top = height - 3 * cell;
  const valueOf = (row: number, column: number): number => {
    let sum = 0;
    for (const dy of [0.35, 0.5, 0.65]) {
      for (const dx of [0.35, 0.5, 0.65]) {
        sum += lumaAt(Math.floor(left + (column + dx) * cell), Math.floor(top + (row + dy) * cell));
      }
    }
    return sum / 9;
  };
  const white = [valueOf(0, 0), valueOf(0, 35), valueOf(1, 1), valueOf(1, 34)];
  const black = [valueOf(0, 1), valueOf(0, 34), valueOf(1, 0), valueOf(1, 35)];
  if (Math.min(...white) - Math.max(...black) < 40) return null;
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const threshold = (mean(white) + mean(black)) / 2;
  let ms = 0;
  let found = 0;
  let crc = 0xffff;
  for (let index = 0; index < 64; index++) {
    const bit = valueOf(index >> 5, 2 + (index & 31)) > threshold ? 1 : 0;
    if (index >= 48) {
      found = found * 2 + bit;
      continue;
    }
    ms = ms * 2 + bit;
    const carry = (crc >> 15) ^ bit;
    crc = ((crc << 1) & 0xffff) ^ (carry === 1 ? 0x1021 : 0);
  }
  return found === crc ? ms : null;
}

/** The reader as JavaScript source, an expression that is the function: for `page.evaluate` and the like. */
export const TIME_CODE_READER_SOURCE: string = `(${readTimeCodeAt.toString()})`;

/** Reads the code from a luma plane. @returns milliseconds since the Unix epoch, or null */
export function readTimeCode(luma: Uint8Array, width: number, height: number, stride: number): number | null {
  return readTimeCodeAt((x, y) => luma[y * stride + x] ?? 0, width, height);
}

/** Reads the code from RGBA pixels, as a canvas gives them. @returns milliseconds since the Unix epoch, or null */
export function readTimeCodeRgba(pixels: Uint8ClampedArray | Uint8Array, width: number, height: number): number | null {
  const lumaAt = (x: number, y: number): number => {
    const at = 4 * (y * width + x);
    return 0.299 * (pixels[at] ?? 0) + 0.587 * (pixels[at + 1] ?? 0) + 0.114 * (pixels[at + 2] ?? 0);
  };
  return readTimeCodeAt(lumaAt, width, height);
}
