import type { AssetJson, NewAssetOptions, UploadJson, WorkState } from './asset-types.ts';
import { query, read, send, type Page, type PlaybackToken } from './client.ts';

const asset = (id: string): string => `/v1/assets/${encodeURIComponent(id)}`;

/** Which assets a list shows. */
export interface AssetQuery {
  readonly states: readonly WorkState[];
  readonly text: string;
  readonly limit: number;
  readonly cursor: string | null;
}

/** The requests about assets that the console makes. */
export const assetApi = {
  list: ({ states, text, limit, cursor }: AssetQuery, signal?: AbortSignal): Promise<Page<AssetJson>> =>
    read(
      `/v1/assets${query({
        limit,
        cursor,
        state: states.length === 0 ? null : states.join(','),
        q: text === '' ? null : text,
      })}`,
      { signal },
    ),
  get: (id: string, signal?: AbortSignal): Promise<AssetJson> => read(asset(id), { signal }),
  fromUrl: (url: string, options: NewAssetOptions): Promise<AssetJson> =>
    read('/v1/assets', { method: 'POST', body: { source: { url }, ...options } }),
  rename: (id: string, name: string): Promise<AssetJson> => read(asset(id), { method: 'PATCH', body: { name } }),
  cancel: (id: string): Promise<AssetJson> => read(`${asset(id)}/cancel`, { method: 'POST', body: {} }),
  retry: (id: string): Promise<AssetJson> => read(`${asset(id)}/retry`, { method: 'POST', body: {} }),
  cancelOutput: async (id: string, outputId: string): Promise<void> => {
    await send(`${asset(id)}/outputs/${encodeURIComponent(outputId)}/cancel`, { method: 'POST', body: {} });
  },
  remove: async (id: string): Promise<void> => {
    await send(asset(id), { method: 'DELETE' });
  },
  /** For a time of the server's choice, or for so many seconds. */
  token: (id: string, ttlSeconds?: number): Promise<PlaybackToken> =>
    read(`${asset(id)}/tokens`, { method: 'POST', body: ttlSeconds === undefined ? {} : { ttlSeconds } }),
  upload: (id: string): Promise<UploadJson> => read(`/v1/uploads/${encodeURIComponent(id)}`),
};

/** The path of the changes of every asset, or of one. */
export function assetEventsPath(id?: string): string {
  return id === undefined ? '/v1/assets/events' : `${asset(id)}/events`;
}
