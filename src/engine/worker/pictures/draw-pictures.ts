import { createHash } from 'node:crypto';
import type { Frame } from 'node-av/lib';
import { ZoetropeError } from '../../../base/errors.ts';
import { TICKS_PER_MS } from '../../../base/time.ts';
import type { DrawPicturesRequest, DrawPicturesResult, WrittenObject } from '../../transcoder.ts';
import type { TranscodeContext } from '../transcode-context.ts';
import { loadWatermark, type Watermark } from '../video/watermark.ts';
import { JpegDrawer, PictureFitter } from './jpeg-drawer.ts';
import { PictureFinder } from './picture-finder.ts';
import { StoryboardSheets, tileCount } from './storyboard-sheets.ts';
import { groupByRun, wantExactly, wantNearby, type WantedPicture } from './wanted-pictures.ts';

/** Does {@link Transcoder.drawPictures} in this process. Stills carry the watermark; tiles are too small for it. */
export async function drawPictures(
  request: DrawPicturesRequest,
  context: TranscodeContext,
): Promise<DrawPicturesResult> {
  const { track, parts, storyboard } = request;
  if (parts.length === 0) throw new ZoetropeError('invalid_argument', 'There are no parts to draw pictures from.');
  await using cleanup = new AsyncDisposableStack();
  const watermark = request.watermark === null ? null : await loadWatermark(request.watermark, context.objects);
  if (watermark !== null) cleanup.use(watermark);
  const stills = request.stills.map((set) => wantStills(set, request, { watermark, cleanup, context }));
  const sheets = storyboard === null ? null : wantTiles(storyboard, request, { cleanup, context });
  const finder = cleanup.use(new PictureFinder(track, parts, context));
  const runs = groupByRun([...stills.flatMap(({ wanted }) => wanted), ...(sheets?.wanted ?? [])]);
  for (const [index, run] of runs.entries()) {
    await context.progress.at(index / runs.length);
    await finder.draw(run, index / runs.length);
  }
  return { stills: stills.map(({ written }) => inOrder(written)), sheets: inOrder(sheets?.written ?? new Map()) };
}

/** Pictures to be found, and the objects that they become, by number. */
interface Drawing {
  readonly wanted: readonly WantedPicture[];
  readonly written: ReadonlyMap<number, WrittenObject>;
}

interface DrawingDeps {
  readonly cleanup: AsyncDisposableStack;
  readonly context: TranscodeContext;
}

function wantStills(
  { timesMs, widthPx, heightPx, outputPrefix }: DrawPicturesRequest['stills'][number],
  { track, parts }: DrawPicturesRequest,
  { watermark, cleanup, context }: DrawingDeps & { readonly watermark: Watermark | null },
): Drawing {
  const drawer = cleanup.use(new JpegDrawer(track, { width: widthPx, height: heightPx }, watermark));
  const written = new Map<number, WrittenObject>();
  const wanted = timesMs.map((timeMs, index) =>
    wantExactly(parts, timeMs, async (frame) => {
      written.set(index, await store(context, `${outputPrefix}${index}.jpg`, drawer.draw(frame)));
    }),
  );
  return { wanted, written };
}

function wantTiles(
  { spec, outputPrefix }: NonNullable<DrawPicturesRequest['storyboard']>,
  { track, parts, end90k }: DrawPicturesRequest,
  { cleanup, context }: DrawingDeps,
): Drawing {
  const count = tileCount(spec, end90k / TICKS_PER_MS);
  const sheets = cleanup.use(new StoryboardSheets(spec, count));
  const fitter = cleanup.use(new PictureFitter(track, { width: spec.tileWidthPx, height: spec.tileHeightPx }, null));
  const written = new Map<number, WrittenObject>();
  const place = async (tile: number, frame: Frame): Promise<void> => {
    const full = fitter.fit(frame, (fitted) => sheets.place(tile, fitted))[0] ?? null;
    if (full !== null) {
      written.set(full.sheet, await store(context, `${outputPrefix}${full.sheet}.jpg`, full.jpeg));
    }
  };
  const wanted = Array.from({ length: count }, (_, tile) =>
    wantNearby(parts, tile * spec.intervalMs, spec.intervalMs, (frame) => place(tile, frame)),
  );
  return { wanted, written };
}

async function store({ objects }: TranscodeContext, objectKey: string, bytes: Uint8Array): Promise<WrittenObject> {
  await objects.put(objectKey, bytes);
  return { objectKey, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function inOrder(written: ReadonlyMap<number, WrittenObject>): readonly WrittenObject[] {
  return [...written].toSorted(([a], [b]) => a - b).map(([, object]) => object);
}
