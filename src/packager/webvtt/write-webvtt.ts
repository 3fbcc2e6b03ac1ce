/** A caption. */
export interface WebVttCue {
  readonly startMs: number;
  readonly endMs: number;
  /** Cue text: `&` and `<` are escaped unless they are markup. */
  readonly text: string;
}

/**
 * Writes captions as a WebVTT file (W3C WebVTT §4). They are put in order of their starts; those without text or duration, which no player
 * could show, are left out. Whatever a text holds, it cannot end its cue or begin another.
 */
export function renderWebVtt(cues: readonly WebVttCue[]): string {
  const blocks = cues
    .map((cue) => ({
      start: Math.max(0, Math.round(cue.startMs)),
      end: Math.round(cue.endMs),
      text: cueText(cue.text),
    }))
    .filter((cue) => cue.end > cue.start && cue.text !== '')
    .sort((a, b) => a.start - b.start || a.end - b.end)
    .map((cue) => `\n${timestamp(cue.start)} --> ${timestamp(cue.end)}\n${cue.text}\n`);
  return `WEBVTT\n${blocks.join('')}`;
}

/** A time as WebVTT writes it: hours, minutes, seconds and milliseconds. */
export function timestamp(ms: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const fraction = String(Math.round(ms) % 1000).padStart(3, '0');
  const seconds = Math.floor(Math.round(ms) / 1000);
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`;
}

/** An empty line would end the cue, and `-->` would make a line one of times. */
function cueText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '\uFFFD')
    .replaceAll('-->', '--&gt;')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
