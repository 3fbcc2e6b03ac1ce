import type { RecordingJson } from '../../../src/api/rest/recording-shapes.ts';
import { query, read, send, type Page, type PlaybackToken } from './client.ts';

export type { RecordingJson } from '../../../src/api/rest/recording-shapes.ts';

/** A recording to be started: left out is now, and a title of the server's. */
export interface NewRecording {
  readonly title?: string;
  readonly from?: string;
}

/** A link that plays without a key for a while. */
export interface ShareLink {
  readonly url: string;
  readonly expiresAt: string;
}

const recording = (id: string): string => `/v1/recordings/${encodeURIComponent(id)}`;

/** The requests about recordings; see docs/design/http.md. */
export const recordingApi = {
  list: (cursor: string | null, signal?: AbortSignal): Promise<Page<RecordingJson>> =>
    read(`/v1/recordings${query({ limit: 100, cursor })}`, { signal }),
  read: (id: string, signal?: AbortSignal): Promise<RecordingJson> => read(recording(id), { signal }),
  start: (streamId: string, wish: NewRecording): Promise<RecordingJson> =>
    read(`/v1/streams/${encodeURIComponent(streamId)}/recordings`, { method: 'POST', body: wish }),
  stop: (id: string): Promise<RecordingJson> => read(`${recording(id)}/stop`, { method: 'POST', body: {} }),
  rename: (id: string, title: string): Promise<RecordingJson> =>
    read(recording(id), { method: 'PATCH', body: { title } }),
  remove: async (id: string): Promise<void> => {
    await send(recording(id), { method: 'DELETE' });
  },
  token: (id: string): Promise<PlaybackToken> => read(`${recording(id)}/tokens`, { method: 'POST', body: {} }),
};

/** Makes a link to what is kept that works for so many seconds. */
export function shareKept(folder: 'archives' | 'recordings', id: string, expiresIn: number): Promise<ShareLink> {
  return read(`/v1/${folder}/${encodeURIComponent(id)}/share`, { method: 'POST', body: { expiresIn } });
}
