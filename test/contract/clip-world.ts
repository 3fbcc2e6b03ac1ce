import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { NewTask } from '../../src/catalog/asset-store.ts';
import type { NewClip } from '../../src/catalog/clip-store.ts';
import type { ClipFile } from '../../src/timeline/clip.ts';

/** What a clip's task leaves behind. */
export const CLIP_FILE: ClipFile = {
  objectKey: 'clips/x/1.mp4',
  sizeBytes: 7,
  sha256: 'ab',
  durationMs: 1000,
  startMs: wallMs(1000),
  hasSound: false,
  copiedPictures: 3,
  encodedPictures: 2,
};

/** A clip to be made. */
export function newClip(fields: Partial<NewClip> & Pick<NewClip, 'streamId'>): NewClip {
  return {
    id: randomIds.next('clip'),
    tenant: 'client',
    sourceHoldId: null,
    name: 'Clip',
    spec: { fromMs: wallMs(1000), toMs: wallMs(2000), mode: 'exact', gaps: 'skip', speed: 1 },
    holdId: randomIds.next('hold'),
    expiresAtMs: null,
    ...fields,
  };
}

/** The task of a clip. */
export function newClipTask(fields: Partial<NewTask> = {}): NewTask {
  return {
    id: randomIds.next('task'),
    kind: 'clip',
    rank: 1,
    ordinal: 0,
    outputIds: [],
    weight: 1,
    input: null,
    maxAttempts: 3,
    ...fields,
  };
}
