import type { ClipJson } from '../../../src/api/rest/clip-shapes.ts';
import { query, read, send, type Page } from './client.ts';
import { ownAddress } from './own-address.ts';
import type { ShareLink } from './recording-api.ts';
import { sessionKey } from './session-key.ts';

export type { ClipJson } from '../../../src/api/rest/clip-shapes.ts';

/** A clip to be made. */
export interface NewClip {
  readonly from: string;
  readonly to: string;
  /** The recording or archive that it is cut from. */
  readonly holdId?: string;
  readonly mode: ClipJson['mode'];
  readonly gaps: ClipJson['gaps'];
  readonly speed: number;
  readonly name?: string;
  /** Seconds. */
  readonly expiresIn?: number;
}

const clip = (id: string): string => `/v1/clips/${encodeURIComponent(id)}`;

/** The requests about clips; see docs/design/http.md. */
export const clipApi = {
  list: (cursor: string | null, signal?: AbortSignal): Promise<Page<ClipJson>> =>
    read(`/v1/clips${query({ limit: 100, cursor })}`, { signal }),
  read: (id: string, signal?: AbortSignal): Promise<ClipJson> => read(clip(id), { signal }),
  make: (streamId: string, wish: NewClip): Promise<ClipJson> =>
    read(`/v1/streams/${encodeURIComponent(streamId)}/clips`, { method: 'POST', body: wish }),
  /** Cancels one that is being made, removes one that has ended. */
  remove: async (id: string): Promise<void> => {
    await send(clip(id), { method: 'DELETE' });
  },
  share: (id: string, expiresIn: number): Promise<ShareLink> =>
    read(`${clip(id)}/share`, { method: 'POST', body: { expiresIn } }),
};

/** Seconds that an address for this tab alone works. */
const OWN_LINK_S = 43_200;

/** Where a tab gets the file: a media element and a download send no key, so with one it is a link that has its right in it. */
export async function clipFileUrl({ id, url }: ClipJson): Promise<string | null> {
  if (url === null) return null;
  return ownAddress(sessionKey.get() === null ? url : (await clipApi.share(id, OWN_LINK_S)).url);
}
