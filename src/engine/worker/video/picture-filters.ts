import { AVCOL_PRI_BT2020, AVCOL_RANGE_JPEG, AVCOL_SPC_RGB } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import { hasFilter } from './filter-graph.ts';
import type { PictureColour } from './picture-colour.ts';
import { isCropOnly, type PreparedShape } from './picture-shape.ts';

/** From what to what. */
export interface FilterPlan {
  readonly track: VideoTrack;
  readonly shape: PreparedShape;
  readonly source: { readonly width: number; readonly height: number; readonly colour: PictureColour };
  /** Null: none. */
  readonly watermark: MarkPlace | null;
}

/** Where a watermark lies on a picture, in pixels, and how strong it is. */
export interface MarkPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly opacity: number;
}

/** FFmpeg's names of the matrices that it converts to. */
const MATRIX_NAMES: Readonly<Record<number, string>> = {
  1: 'bt709',
  4: 'fcc',
  5: 'bt470bg',
  6: 'smpte170m',
  7: 'smpte240m',
};

const TURNS: Readonly<Record<VideoTrack['rotation'], readonly string[]>> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
};

/** The filters for a plan, in FFmpeg's words: pictures from `in0` and the watermark from `in1` to `out`. @throws unsupported_media */
export function describeFilters(plan: FilterPlan): string {
  const { track, shape, watermark } = plan;
  const chain = [
    // Pictures that are not marked as interlaced are left alone.
    ...(track.isInterlaced ? ['bwdif=mode=send_frame:deint=interlaced'] : []),
    ...sizeAndColour(plan),
    // Last, because there are fewer pixels then.
    ...TURNS[track.rotation],
  ].join(',');
  const format = `format=${pixelFormatOf(shape)}`;
  if (watermark === null) return `[in0]${chain},${format}[out]`;
  const { x, y, width, height, opacity } = watermark;
  // Scaled with its colours weighted by their opacity, so that what cannot be seen does not bleed into the edges.
  const mark = [
    'format=gbrap',
    'premultiply=inplace=1',
    `scale=${width}:${height}:flags=bicubic`,
    'unpremultiply=inplace=1',
    `colorchannelmixer=aa=${opacity}`,
    `scale=${outputColour(shape.colour)}`,
    'format=yuva420p',
  ].join(',');
  return `[in0]${chain},${format}[base];[in1]${mark}[mark];[base][mark]overlay=x=${x}:y=${y}:format=yuv420,${format}[out]`;
}

function sizeAndColour({ track, shape, source }: FilterPlan): readonly string[] {
  const { colour } = source;
  const isAside = track.rotation === 90 || track.rotation === 270;
  const lying = isAside ? { width: shape.height, height: shape.width } : { width: shape.width, height: shape.height };
  const size = `${lying.width}:${lying.height}`;
  const target = outputColour(shape.colour);
  const fit = isCropOnly(source, lying) ? [`crop=${size}:0:0`] : [`scale=${size}:flags=bicubic`];
  if (track.hdr !== null) {
    needFilter('tonemapx', 'pictures of high dynamic range');
    const tonemap = 'tonemapx=tonemap=bt2390:desat=0:peak=100:t=bt709:m=bt709:p=bt709:r=tv:format=yuv420p';
    return [...fit, 'format=yuv420p10le', tonemap, `scale=${target}`];
  }
  if (colour.primaries >= AVCOL_PRI_BT2020 && colour.matrix !== AVCOL_SPC_RGB) {
    needFilter('zscale', 'pictures with wide colours');
    const { primaries, transfer, matrix } = colour;
    const from = `pin=${primaries}:tin=${transfer}:min=${matrix}:rin=${colour.range === AVCOL_RANGE_JPEG ? 'full' : 'limited'}`;
    return [...fit, `zscale=${from}:p=bt709:t=bt709:m=bt709:r=limited,format=yuv420p`, `scale=${target}`];
  }
  return isCropOnly(source, lying) ? [...fit, `scale=${target}`] : [`scale=${size}:flags=bicubic:${target}`];
}

function outputColour({ matrix, range }: PictureColour): string {
  return `out_color_matrix=${MATRIX_NAMES[matrix] ?? 'bt709'}:out_range=${range === AVCOL_RANGE_JPEG ? 'full' : 'limited'}`;
}

function pixelFormatOf({ colour }: PreparedShape): string {
  return colour.range === AVCOL_RANGE_JPEG ? 'yuvj420p' : 'yuv420p';
}

function needFilter(name: string, what: string): void {
  if (hasFilter(name)) return;
  throw new ZoetropeError(
    'unsupported_media',
    `This FFmpeg cannot convert ${what}: it has no filter ${name}. Send a file in standard range (BT.709).`,
  );
}
