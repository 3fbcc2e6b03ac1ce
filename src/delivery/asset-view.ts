import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { isZoetropeError } from '../base/errors.ts';
import type { AssetStore } from '../catalog/asset-store.ts';
import type { TimelineStore, Window } from '../catalog/catalog.ts';
import type { Asset, Output } from '../timeline/asset.ts';
import type { Epoch } from '../timeline/epoch.ts';
import { DvrWindow } from './dvr-window.ts';
import { ASSET_LISTING, ENCRYPTED_LISTING, SUBTITLE_LISTING, type Listing } from './child-uris.ts';
import { Freshness } from './freshness.ts';
import type { TimelineView } from './view-cache.ts';

/** What a view reads from. */
export interface AssetViewDeps {
  readonly catalog: Pick<AssetStore, 'getAsset' | 'outputsOf'> & Pick<TimelineStore, 'renditionWindow'>;
  readonly clock: Clock;
}

/** A rendition of an asset that has segments. */
export interface AssetTrack {
  readonly output: Output;
  readonly window: DvrWindow;
  readonly epochs: ReadonlyMap<string, Epoch>;
}

/** An asset as playlists show it. */
export interface AssetState {
  /** Of the view when reading began. */
  readonly revision: number;
  readonly asset: Asset;
  /** In order of making. */
  readonly outputs: readonly Output[];
  /** By output id, in order of making; those without segments are left out. */
  readonly tracks: ReadonlyMap<string, AssetTrack>;
}

/** Windows that only grew are read as a whole now and then all the same, for what the asset's version does not tell (a segment that was lost). */
const FULL_READ_EVERY_MS = 60_000;

/** One asset in memory: read when it is first asked for; after a change only what is new of its renditions is read. */
export class AssetView implements TimelineView {
  readonly streamId: string;
  readonly #deps: AssetViewDeps;
  readonly #freshness: Freshness;
  #state: AssetState | undefined;
  #readAtMs = 0;
  #isStale = true;

  constructor(assetId: string, deps: AssetViewDeps) {
    this.streamId = assetId;
    this.#deps = deps;
    this.#freshness = new Freshness(deps.clock);
  }

  get usedAtMs(): number {
    return this.#freshness.usedAtMs;
  }

  get windowLength(): number {
    let length = 0;
    for (const { window } of this.#state?.tracks.values() ?? []) length += window.length;
    return length;
  }

  isAt(revision: number): boolean {
    return this.#freshness.isAt(revision);
  }

  dropWindows(): void {
    this.#state = undefined;
    this.#isStale = true;
  }

  close(): void {
    this.#freshness.close();
  }

  change(): void {
    this.#freshness.rise();
    this.#isStale = true;
  }

  /** The asset as it is now. @throws not_found; what the catalog throws. */
  async read(): Promise<AssetState> {
    await this.#freshness.refresh(
      () => this.#isStale || this.#state === undefined,
      () => this.#read(),
    );
    if (this.#state === undefined) throw new Error('An asset was looked at before it was read.');
    return this.#state;
  }

  async #read(): Promise<void> {
    const { revision } = this.#freshness;
    const { catalog, clock } = this.#deps;
    const known = this.#state;
    // The windows after the states: an output that is final has all its segments then.
    const asset = await catalog.getAsset(this.streamId);
    const outputs = (await catalog.outputsOf([this.streamId])).get(this.streamId) ?? [];
    const isRecent = clock.monotonicMs() - this.#readAtMs < FULL_READ_EVERY_MS;
    // A change that the version does not tell happened to segments that are known.
    const isExplained = known !== undefined && isRecent && known.asset.version !== asset.version;
    // Running tasks tell their progress each second: nothing of the segments is read for that.
    const isProgress = known !== undefined && isRecent && !isExplained && !isDeepStrictEqual(known.outputs, outputs);
    const tracks = isProgress
      ? withOutputs(known.tracks, outputs)
      : await this.#readTracks(asset, outputs, isExplained ? known : undefined);
    if (!isExplained && !isProgress) this.#readAtMs = clock.monotonicMs();
    this.#state = { revision, asset, outputs, tracks };
    if (this.#freshness.revision === revision) this.#isStale = false;
  }

  async #readTracks(
    asset: Asset,
    outputs: readonly Output[],
    known: AssetState | undefined,
  ): Promise<AssetState['tracks']> {
    const tracks = new Map<string, AssetTrack>();
    for (const output of outputs) {
      const track = await this.#readTrack(asset, output, known?.tracks.get(output.id));
      if (track !== null) tracks.set(output.id, track);
    }
    return tracks;
  }

  async #readTrack(asset: Asset, output: Output, known: AssetTrack | undefined): Promise<AssetTrack | null> {
    if (!isRendition(output) || output.publishedChunks === 0) return null;
    try {
      if (known !== undefined) {
        const { rendition } = known.window;
        const news = await this.#window(output.id, rendition.nextSequence);
        if (known.window.follow(news.rendition, news.segments, news.epochs)) {
          return { output, window: known.window, epochs: new Map([...known.epochs, ...byId(news.epochs)]) };
        }
      }
      const window = await this.#window(output.id, 0);
      if (window.segments.length === 0) return null;
      return { output, window: new DvrWindow(window, 0, listingOf(asset, output)), epochs: byId(window.epochs) };
    } catch (error) {
      // It was removed between two reads; the next change says so.
      if (isZoetropeError(error, 'not_found')) return null;
      throw error;
    }
  }

  #window(outputId: string, fromSequence: number): Promise<Window> {
    return this.#deps.catalog.renditionWindow(this.streamId, outputId, fromSequence);
  }
}

function withOutputs(tracks: AssetState['tracks'], outputs: readonly Output[]): AssetState['tracks'] {
  const now = new Map(outputs.map((output) => [output.id, output]));
  return new Map([...tracks].map(([id, track]) => [id, { ...track, output: now.get(id) ?? track.output }]));
}

function listingOf(asset: Asset, output: Output): Listing {
  if (output.spec.kind === 'subtitles') return SUBTITLE_LISTING;
  return asset.request.encryption === 'aes-128' ? ENCRYPTED_LISTING : ASSET_LISTING;
}

function isRendition(output: Output): boolean {
  const { kind } = output.spec;
  return kind === 'video' || kind === 'audio' || kind === 'subtitles';
}

function byId(epochs: readonly Epoch[]): ReadonlyMap<string, Epoch> {
  return new Map(epochs.map((epoch) => [epoch.id, epoch]));
}
