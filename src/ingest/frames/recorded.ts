import { wallMs, type WallMs } from '../../base/time.ts';
import type { HoldStore } from '../../catalog/catalog.ts';

/** Whether a recording wants a frame of this time, however old it is: what somebody keeps is kept also when it comes late. */
export async function isRecordedAt(
  catalog: Pick<HoldStore, 'listHolds'>,
  streamId: string,
  atMs: WallMs,
): Promise<boolean> {
  const covering = { streamId, kind: 'recording', fromMs: atMs, toMs: wallMs(atMs + 1) } as const;
  return (await catalog.listHolds(covering, { limit: 1 })).items.length > 0;
}
