import { duration } from '../time/format.ts';

/** When something goes by itself, in words, and whether that is within a day. */
export function expiryText(
  expiresAt: string | null,
  nowMs: number,
): { readonly text: string; readonly isSoon: boolean } {
  if (expiresAt === null) return { text: 'never expires', isSoon: false };
  const leftMs = Date.parse(expiresAt) - nowMs;
  const text =
    leftMs <= 0 ? 'expires now' : `expires in ${duration(Math.max(60_000, Math.round(leftMs / 60_000) * 60_000))}`;
  return { text, isSoon: leftMs < 86_400_000 };
}
