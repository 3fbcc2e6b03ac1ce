import type { NewAssetOptions, NewVideo } from '../api/asset-types.ts';
import { parseMediaTime } from '../time/media-time.ts';

/** Heights that can be ticked; the server never scales up. */
export const RUNGS: readonly number[] = [144, 240, 360, 480, 720, 1080, 1440, 2160];

/** Codecs of video outputs, with their names for people. */
export const CODECS: readonly (readonly [NewVideo['codec'], string])[] = [
  ['h264', 'H.264'],
  ['hevc', 'HEVC'],
  ['vp9', 'VP9'],
  ['av1', 'AV1'],
];

/** Where a watermark lies. */
export const CORNERS: readonly (readonly [string, string])[] = [
  ['top-left', 'Top left'],
  ['top-right', 'Top right'],
  ['bottom-left', 'Bottom left'],
  ['bottom-right', 'Bottom right'],
  ['center', 'Centre'],
];

/** The options panel as it is filled in: text stays text until it is sent. */
export interface RequestForm {
  /** Empty: the server's ladder for the file. */
  readonly rungs: readonly number[];
  readonly codec: NewVideo['codec'];
  readonly audioKbps: string;
  readonly captions: boolean;
  readonly poster: boolean;
  readonly storyboard: boolean;
  readonly download: boolean;
  /** Times as typed: `0:05, 1:30`. Empty: none. */
  readonly thumbnailTimes: string;
  readonly thumbnailWidth: string;
  /** Key of the picture; empty: none. */
  readonly watermarkKey: string;
  readonly watermarkPosition: string;
  /** Percent. */
  readonly watermarkSize: number;
  readonly watermarkOpacity: number;
  readonly watermarkMargin: number;
  readonly encrypted: boolean;
  readonly referenceId: string;
  readonly webhookUrl: string;
  readonly priority: number;
}

/** What is made of a file when nothing is changed. */
export const DEFAULT_FORM: RequestForm = {
  rungs: [],
  codec: 'h264',
  audioKbps: '',
  captions: true,
  poster: true,
  storyboard: true,
  download: false,
  thumbnailTimes: '',
  thumbnailWidth: '',
  watermarkKey: '',
  watermarkPosition: 'bottom-right',
  watermarkSize: 15,
  watermarkOpacity: 100,
  watermarkMargin: 2,
  encrypted: false,
  referenceId: '',
  webhookUrl: '',
  priority: 0,
};

/** What is wrong with a field, by the field's name. */
export type FormFaults = Partial<Record<keyof RequestForm, string>>;

/** Reads `0:05, 1:30 90`; null when one of them is no time. Each once, in seconds. */
export function readTimes(text: string): readonly number[] | null {
  const times = text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map(parseMediaTime);
  const good = times.filter((time) => time !== null);
  return good.length === times.length ? [...new Set(good)] : null;
}

function isWholeWithin(text: string, from: number, to: number): boolean {
  return /^\d+$/.test(text) && Number(text) >= from && Number(text) <= to;
}

/** Finds what the server would refuse, so far as it can be seen here. */
export function faultsOf(form: RequestForm): FormFaults {
  const faults: { -readonly [K in keyof FormFaults]: FormFaults[K] } = {};
  const times = readTimes(form.thumbnailTimes);
  if (times === null) faults.thumbnailTimes = 'Times such as 0:05, 1:30 or 90, with commas between.';
  else if (times.length > 100) faults.thumbnailTimes = 'At most 100 pictures.';
  if (form.thumbnailWidth !== '' && !isWholeWithin(form.thumbnailWidth, 16, 8192))
    faults.thumbnailWidth = '16 to 8192 pixels.';
  if (form.audioKbps !== '' && !isWholeWithin(form.audioKbps, 16, 512)) faults.audioKbps = '16 to 512 kbit/s.';
  if (form.webhookUrl !== '' && !/^https?:\/\/\S+$/.test(form.webhookUrl))
    faults.webhookUrl = 'An address that begins with https:// or http://.';
  if (form.watermarkKey !== '' && !form.watermarkKey.startsWith('inputs/'))
    faults.watermarkKey = 'The key of an object below inputs/ and the tenant’s name.';
  return faults;
}

/** What goes to the server. Call it with a form without faults. */
export function requestOf(form: RequestForm): NewAssetOptions {
  const times = readTimes(form.thumbnailTimes) ?? [];
  const heights = form.rungs.length === 0 && form.codec !== 'h264' ? [360, 720, 1080] : form.rungs;
  return {
    ...(form.referenceId === '' ? {} : { referenceId: form.referenceId }),
    ...(form.webhookUrl === '' ? {} : { webhookUrl: form.webhookUrl }),
    ...(form.priority === 0 ? {} : { priority: form.priority }),
    outputs: {
      ...(heights.length === 0 ? {} : { video: heights.map((heightPx) => ({ codec: form.codec, heightPx })) }),
      ...(form.audioKbps === '' ? {} : { audioBitrateKbps: Number(form.audioKbps) }),
      captions: form.captions,
      poster: form.poster,
      storyboard: form.storyboard,
      download: form.download,
      ...(times.length === 0
        ? {}
        : {
            thumbnails: [
              {
                timesSeconds: times,
                ...(form.thumbnailWidth === '' ? {} : { widthPx: Number(form.thumbnailWidth) }),
              },
            ],
          }),
      ...(form.watermarkKey === ''
        ? {}
        : {
            watermark: {
              objectKey: form.watermarkKey,
              position: form.watermarkPosition,
              size: form.watermarkSize / 100,
              opacity: form.watermarkOpacity / 100,
              margin: form.watermarkMargin / 100,
            },
          }),
      ...(form.encrypted ? { encryption: 'aes-128' } : {}),
    },
  };
}

/** The form in a line: `Automatic ladder · captions · poster · storyboard`. */
export function summaryOf(form: RequestForm): string {
  const codec = CODECS.find(([value]) => value === form.codec)?.[1] ?? '';
  const { video } = requestOf({ ...form, thumbnailTimes: '' }).outputs;
  const ladder = video === undefined ? 'Automatic ladder' : video.map(({ heightPx }) => `${heightPx}p`).join(', ');
  const times = readTimes(form.thumbnailTimes)?.length ?? 0;
  return [
    form.codec === 'h264' ? ladder : `${ladder} in ${codec}`,
    form.captions && 'captions',
    form.poster && 'poster',
    form.storyboard && 'storyboard',
    form.download && 'MP4',
    times > 0 && `${times} thumbnail${times === 1 ? '' : 's'}`,
    form.watermarkKey !== '' && 'watermark',
    form.encrypted && 'encrypted',
    form.referenceId !== '' && form.referenceId,
    form.webhookUrl !== '' && 'webhook',
    form.priority !== 0 && `priority ${form.priority > 0 ? '+' : '−'}${Math.abs(form.priority)}`,
  ]
    .filter((part) => part !== false)
    .join(' · ');
}
