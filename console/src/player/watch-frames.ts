/** Calls with the media time (seconds) of each frame that comes on screen, until the signal aborts. */
export function watchFrames(video: HTMLVideoElement, signal: AbortSignal, onFrame: (mediaTimeS: number) => void): void {
  if (typeof video.requestVideoFrameCallback !== 'function') {
    // Without it the element's own clock has to do: it says the same to within a frame.
    const report = (): void => onFrame(video.currentTime);
    for (const type of ['seeked', 'timeupdate']) video.addEventListener(type, report, { signal });
    return;
  }
  const next = (_: number, frame: { readonly mediaTime: number }): void => {
    if (signal.aborted) return;
    onFrame(frame.mediaTime);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}
