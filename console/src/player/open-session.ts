import type { MediaSession, SessionEvents } from './hls-session.ts';
import { pathOf, type PlaybackAccess } from './playback-access.ts';
import type { Source } from './source.ts';

/** Which playlist is to be opened, and with what right. */
export interface SessionRequest {
  readonly streamId: string;
  readonly source: Source;
  readonly speed: number;
  readonly access: PlaybackAccess;
}

/**
 * Loads the code that plays and the token that it needs; the function it answers opens the playlist. In two steps, because
 * whoever asked may no longer want it by then. @throws ApiError when no token is to be had
 */
export async function prepareSession(
  request: SessionRequest,
): Promise<(video: HTMLVideoElement, events: SessionEvents) => MediaSession> {
  const { streamId, source, speed, access } = request;
  const [{ openWithHls, canUseHls }] = await Promise.all([import('./hls-session.ts'), access.ready()]);
  const url = new URL(pathOf(streamId, source, speed), location.href).href;
  if (canUseHls()) return (video, events) => openWithHls(video, url, (address) => access.sign(address), events);
  const { openNatively } = await import('./native-session.ts');
  return (video, events) => openNatively(video, access.sign(url), events);
}
