import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { isFinal, type Output } from '../timeline/asset.ts';
import { iFramePlaylist, renditionPlaylist } from './asset-media.ts';
import { assetManifest, MANIFEST_TYPE } from './asset-manifest.ts';
import { assetMaster } from './asset-master.ts';
import { notMade, playableMs, soundHasOneSpeed } from './asset-offer.ts';
import type { AssetState, AssetTrack, AssetView } from './asset-view.ts';
import { KeptTexts, type PlaylistText, type ReadyPlaylist } from './kept-texts.ts';
import { CAPTIONS_TYPE } from './media-files.ts';
import { storyboardJson, storyboardVtt } from './storyboard.ts';
import { readVariant, variantOf, type Query, type Variant } from './variant.ts';

/** Texts kept for one asset: of each rendition its playlist, its keyframes, at a few speeds. */
const MAX_ASSET_TEXTS = 64;

/** What playlists of assets are made with. */
export interface AssetPlaylistsDeps {
  readonly clock: Clock;
  /** Length aimed at for segments, in milliseconds. */
  readonly segmentMs: number;
}

/** Renders the playlists of assets, once for each revision; tokens are put in afterwards. */
export class AssetPlaylists {
  readonly #deps: AssetPlaylistsDeps;
  readonly #texts = new WeakMap<AssetView, KeptTexts>();

  constructor(deps: AssetPlaylistsDeps) {
    this.#deps = deps;
  }

  /** What there is to choose from. @throws not_found, retryable, before something plays; invalid_argument, out_of_range for the query */
  async master(state: AssetState, view: AssetView, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const variant = readVariant(query, 1);
    return this.#keep(view, state, `master ${variant.key}`, token, () => assetMaster(state, variant));
  }

  /** One rendition: it grows until the output's end. @throws as {@link AssetPlaylists.master} */
  async media(
    state: AssetState,
    view: AssetView,
    outputId: string,
    query: Query,
    token: string | undefined,
  ): Promise<ReadyPlaylist> {
    const variant = readVariant(query, 1);
    return this.#keep(view, state, `${outputId} ${variant.key}`, token, () => {
      const track = trackOf(state, outputId);
      checkSpeed(track, variant);
      return renditionPlaylist(track, variant, this.#leastTargetS(variant));
    });
  }

  /** The keyframes of a video rendition, as byte ranges. @throws as {@link AssetPlaylists.master}; conflict for an encrypted asset */
  async iFrames(
    state: AssetState,
    view: AssetView,
    outputId: string,
    query: Query,
    token: string | undefined,
  ): Promise<ReadyPlaylist> {
    const { speed } = readVariant(query, 1);
    const variant = variantOf(speed, 'cmaf');
    return this.#keep(view, state, `${outputId} iframes ${variant.key}`, token, () => {
      const track = trackOf(state, outputId);
      if (track.output.spec.kind !== 'video') {
        throw new ZoetropeError('not_found', `The output ${outputId} is no video: it has no keyframes to list.`);
      }
      refuseEncrypted(state, 'Playlists of keyframes');
      return iFramePlaylist(track, variant, this.#leastTargetS(variant));
    });
  }

  /** The DASH manifest. @throws as {@link AssetPlaylists.master}; conflict for an encrypted asset */
  async manifest(state: AssetState, view: AssetView, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const variant = readVariant(query, 1);
    if (variant.container === 'ts' || variant.speed !== 1) {
      throw new ZoetropeError(
        'invalid_argument',
        'A DASH manifest has no speed and no container: players set their own rate, and the segments are CMAF. Leave both out.',
      );
    }
    return this.#keep(view, state, 'manifest', token, () => {
      refuseEncrypted(state, 'DASH');
      const updateS = this.#deps.segmentMs / 1000;
      const template = assetManifest(state, { updateS, nowMs: this.#deps.clock.nowMs() });
      return { template, targetDurationS: updateS, isEnded: isFinal(state.asset.state), contentType: MANIFEST_TYPE };
    });
  }

  /** The small pictures for hovering, as WebVTT or JSON. @throws not_found, retryable until they are drawn */
  async storyboard(
    format: 'vtt' | 'json',
    state: AssetState,
    view: AssetView,
    token: string | undefined,
  ): Promise<ReadyPlaylist> {
    return this.#keep(view, state, `storyboard ${format}`, token, () => {
      const output = state.outputs.find(({ spec }) => spec.kind === 'storyboard');
      const spec = output?.spec;
      if (spec?.kind !== 'storyboard' || output === undefined || output.files.length === 0) {
        throw notMade(state, 'storyboard', output);
      }
      // What the tiles were drawn for: one for each interval of it.
      const durationMs = state.asset.media?.durationMs ?? playableMs(state);
      const storyboard = { spec, sheetCount: output.files.length, durationMs };
      const template = format === 'vtt' ? storyboardVtt(storyboard) : storyboardJson(storyboard);
      const contentType = format === 'vtt' ? CAPTIONS_TYPE : 'application/json; charset=utf-8';
      return {
        template,
        targetDurationS: this.#deps.segmentMs / 1000,
        isEnded: isFinal(state.asset.state),
        contentType,
      };
    });
  }

  /** The longest that the plan makes a segment: it is said from the start, since it must not change. */
  #leastTargetS(variant: Variant): number {
    return Math.ceil((this.#deps.segmentMs * 1.5) / 1000 / variant.speed);
  }

  #keep(
    view: AssetView,
    state: AssetState,
    key: string,
    token: string | undefined,
    render: () => PlaylistText,
  ): ReadyPlaylist {
    let texts = this.#texts.get(view);
    if (texts === undefined) {
      texts = new KeptTexts(MAX_ASSET_TEXTS);
      this.#texts.set(view, texts);
    }
    const { revision } = state;
    return texts.ready({ key, revision, isFresh: () => view.isAt(revision) }, token, render);
  }
}

/** Whether media segments leave encrypted. */
export function isEncrypted(state: AssetState): boolean {
  return state.asset.request.encryption === 'aes-128';
}

/** An output by the id in a URL. @throws not_found */
export function outputOf(state: AssetState, outputId: string): Output {
  const output = state.outputs.find(({ id }) => id === outputId);
  if (output !== undefined) return output;
  throw new ZoetropeError('not_found', `The asset ${state.asset.id} has no output ${JSON.stringify(outputId)}.`);
}

function trackOf(state: AssetState, outputId: string): AssetTrack {
  const output = outputOf(state, outputId);
  const { kind } = output.spec;
  if (kind !== 'video' && kind !== 'audio' && kind !== 'subtitles') {
    throw new ZoetropeError('not_found', `The output ${outputId} (${kind}) is no rendition: it has no playlist.`);
  }
  const track = state.tracks.get(outputId);
  if (track === undefined) throw notMade(state, `segments of ${output.name}`, output);
  return track;
}

function checkSpeed(track: AssetTrack, variant: Variant): void {
  if (variant.speed !== 1 && track.output.spec.kind !== 'video') throw soundHasOneSpeed(variant);
}

function refuseEncrypted(state: AssetState, what: string): void {
  if (!isEncrypted(state)) return;
  throw new ZoetropeError(
    'conflict',
    `${what} cannot name segments that are encrypted as a whole, and the asset ${state.asset.id} is (aes-128). Play master.m3u8.`,
  );
}
