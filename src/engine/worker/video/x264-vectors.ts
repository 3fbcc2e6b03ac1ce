import { readFileSync } from 'node:fs';

/** Macroblocks that the faulty code takes at once. */
const BATCH = 8;

/**
 * What must be said to x264 so that a picture of this width gives the same bytes each time; empty: nothing.
 *
 * Its macroblock tree, written for AVX-512 (core 165), looks beyond the end of a row whose macroblocks are no multiple of eight, and lets what happens
 * to lie there into the quantisers. Rows that are give the same bytes with AVX2 as with AVX-512, so only the others are kept from it: it is worth six
 * per cent.
 */
export function x264VectorParameters(width: number, hasAvx512 = HAS_AVX512): string {
  const macroblocks = Math.ceil(width / 16);
  // Naming a set of instructions makes x264 use it unasked; where there is AVX-512 there is AVX2.
  return hasAvx512 && macroblocks % BATCH !== 0 ? ':asm=AVX2' : '';
}

const HAS_AVX512 = process.platform === 'linux' && process.arch === 'x64' && /\bavx512f\b/.test(cpuInfo());

function cpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'latin1');
  } catch {
    // A system that hides its processors: bytes may differ there, pictures hardly.
    return '';
  }
}
