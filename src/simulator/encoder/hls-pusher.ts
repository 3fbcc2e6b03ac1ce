import type { Clock } from '../../base/clock.ts';
import { renderMediaPlaylist, type PlaylistSegment } from '../../packager/hls/media-playlist.ts';
import { sendRequest } from '../send-request.ts';
import type { EncodedSegment } from './encoder-run.ts';
import type { RunCause } from './live-encoder.ts';
import type { LiveTally } from './live-tally.ts';
import { UploadQueue, type SegmentUpload, type UploadStep } from './upload-queue.ts';

/** How segments are pushed. */
export interface PushOptions {
  /** Of the folder that the files go to. */
  readonly folderUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: 'PUT' | 'POST';
  readonly hasProgramDateTime: boolean;
  /** Whole seconds, not below any segment's. */
  readonly targetDurationS: number;
  /** Of every so many segments one is not sent, though the playlist names it; null: all are sent. */
  readonly dropEvery: number | null;
  /** Of two segments the later one goes first, with the playlist that names both. */
  readonly reorder: boolean;
  readonly clock: Clock;
  readonly tally: LiveTally;
  readonly onComplaint: (reason: string) => void;
}

/** Segments that the playlist names. */
const WINDOW = 6;

/** Pushes segments and then their playlist as encoders do (RFC 8216bis §6.2.1): fixed names, a window that moves, all to one folder. */
export class HlsPusher {
  readonly #options: PushOptions;
  readonly #queue: UploadQueue;
  #window: PlaylistSegment[] = [];
  #mediaSequence = 0;
  #discontinuitySequence = 0;
  #number = 0;
  #count = 0;
  #inits = 0;
  #sentInit: Uint8Array | null = null;
  #held: SegmentUpload | null = null;

  constructor(options: PushOptions) {
    this.#options = options;
    this.#queue = new UploadQueue(options);
  }

  /** @param begins why it is the first of an encoder's run; null: it is not */
  add(segment: EncodedSegment, begins: RunCause | null): void {
    const { dropEvery, reorder, tally } = this.#options;
    if (begins === 'restart') this.#forget();
    if (begins === 'resize') this.#inits += 1;
    const initName = segment.init === null ? null : this.#inits === 0 ? 'init.mp4' : `init-${this.#inits}.mp4`;
    const name = `segment${this.#number++}.${segment.init === null ? 'ts' : 'm4s'}`;
    this.#list(segment, name, initName, begins === 'resize');
    const isDropped = dropEvery !== null && ++this.#count % dropEvery === 0;
    if (isDropped) tally.dropped += 1;
    const steps = isDropped ? [] : this.#segmentSteps(segment, name, initName);
    const upload = { steps: [...steps, this.#playlistStep(false)], segments: isDropped ? 0 : 1 };
    if (!reorder) return this.#queue.add(upload);
    if (this.#held === null) {
      this.#held = upload;
      return;
    }
    this.#queue.add(upload);
    this.#release();
  }

  /** Says that no segment will follow; goes on sending for at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#release();
    if (this.#window.length > 0) this.#queue.add({ steps: [this.#playlistStep(true)], segments: 0 });
    await this.#queue.close(graceMs);
  }

  /** An encoder that was restarted knows nothing of what it did before. */
  #forget(): void {
    this.#release();
    this.#window = [];
    this.#mediaSequence = 0;
    this.#discontinuitySequence = 0;
    this.#number = 0;
    this.#inits = 0;
  }

  /** Without its playlist, which would be older than the one that went before. */
  #release(): void {
    if (this.#held !== null) this.#queue.add({ ...this.#held, steps: this.#held.steps.slice(0, -1) });
    this.#held = null;
  }

  #list(segment: EncodedSegment, uri: string, mapUri: string | null, discontinuity: boolean): void {
    const startMs = this.#options.hasProgramDateTime ? segment.startMs : null;
    this.#window.push({ uri, mapUri, durationS: segment.durationMs / 1000, startMs, discontinuity, gap: false });
    if (this.#window.length <= WINDOW) return;
    if (this.#window.shift()?.discontinuity === true) this.#discontinuitySequence += 1;
    this.#mediaSequence += 1;
  }

  #segmentSteps({ bytes, init }: EncodedSegment, name: string, initName: string | null): readonly UploadStep[] {
    const { tally } = this.#options;
    const segment: UploadStep = {
      send: () => this.#send(name, init === null ? 'video/mp2t' : 'video/mp4', bytes),
      onAccepted: () => {
        tally.accepted += 1;
        tally.bytes += bytes.length;
      },
      onRefused: () => (tally.refused += 1),
    };
    if (init === null || initName === null) return [segment];
    const first: UploadStep = {
      // It may have gone out with a segment before this one, or have been given up with it.
      send: () =>
        this.#sentInit === init
          ? Promise.resolve({ outcome: 'accepted', text: '' })
          : this.#send(initName, 'video/mp4', init),
      onAccepted: () => (this.#sentInit = init),
    };
    return [first, segment];
  }

  #playlistStep(isEnded: boolean): UploadStep {
    const head = {
      targetDurationS: this.#options.targetDurationS,
      mediaSequence: this.#mediaSequence,
      discontinuitySequence: this.#discontinuitySequence,
      type: null,
      canSkipUntilS: null,
      dateRanges: [],
    };
    const text = renderMediaPlaylist(head, this.#window, isEnded);
    return { send: () => this.#send('index.m3u8', 'application/vnd.apple.mpegurl', text) };
  }

  #send(name: string, contentType: string, body: Uint8Array | string): ReturnType<typeof sendRequest> {
    const { folderUrl, headers, method } = this.#options;
    return sendRequest(`${folderUrl}/${name}`, { method, body, headers: { ...headers, 'content-type': contentType } });
  }
}
