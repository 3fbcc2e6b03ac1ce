import type { EdgeJson } from '../../../src/api/rest/edge-shapes.ts';
import { query, read, send, type Page } from './client.ts';

export type { EdgeJson } from '../../../src/api/rest/edge-shapes.ts';

/** An edge with its streams; `watched`: it is sent live now. */
export interface EdgeDetailJson extends EdgeJson {
  readonly streams: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: string;
    readonly watched: boolean;
  }[];
}

const edge = (id: string): string => `/v1/edges/${encodeURIComponent(id)}`;

/** The requests about edges; see docs/design/edge.md. */
export const edgeApi = {
  list: (cursor: string | null, signal?: AbortSignal): Promise<Page<EdgeJson>> =>
    read(`/v1/edges${query({ limit: 100, cursor })}`, { signal }),
  read: (id: string, signal?: AbortSignal): Promise<EdgeDetailJson> => read(edge(id), { signal }),
  /** Forgets one that is away; its streams stay. */
  remove: async (id: string): Promise<void> => {
    await send(edge(id), { method: 'DELETE' });
  },
};
