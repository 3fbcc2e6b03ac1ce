/** Plays a media element. Answers false when the browser wants a click first: then the button says "play", which is what is asked for. */
export async function startPlaying(video: HTMLVideoElement): Promise<boolean> {
  try {
    await video.play();
    return true;
  } catch (error) {
    return !(error instanceof DOMException && error.name === 'NotAllowedError');
  }
}
