// Original file: proto/zoetrope/v1/assets.proto

import type { VideoOptions as _zoetrope_v1_VideoOptions, VideoOptions__Output as _zoetrope_v1_VideoOptions__Output } from '../../zoetrope/v1/VideoOptions.ts';
import type { ThumbnailsOptions as _zoetrope_v1_ThumbnailsOptions, ThumbnailsOptions__Output as _zoetrope_v1_ThumbnailsOptions__Output } from '../../zoetrope/v1/ThumbnailsOptions.ts';
import type { WatermarkOptions as _zoetrope_v1_WatermarkOptions, WatermarkOptions__Output as _zoetrope_v1_WatermarkOptions__Output } from '../../zoetrope/v1/WatermarkOptions.ts';

export interface OutputOptions {
  'video'?: (_zoetrope_v1_VideoOptions)[];
  'audioBitrateKbps'?: (number);
  'captions'?: (boolean);
  'thumbnails'?: (_zoetrope_v1_ThumbnailsOptions)[];
  'poster'?: (boolean);
  'storyboard'?: (boolean);
  'download'?: (boolean);
  'watermark'?: (_zoetrope_v1_WatermarkOptions | null);
  'encryption'?: (string);
  '_audioBitrateKbps'?: "audioBitrateKbps";
  '_captions'?: "captions";
  '_poster'?: "poster";
  '_storyboard'?: "storyboard";
  '_download'?: "download";
  '_encryption'?: "encryption";
}

export interface OutputOptions__Output {
  'video': (_zoetrope_v1_VideoOptions__Output)[];
  'audioBitrateKbps'?: (number);
  'captions'?: (boolean);
  'thumbnails': (_zoetrope_v1_ThumbnailsOptions__Output)[];
  'poster'?: (boolean);
  'storyboard'?: (boolean);
  'download'?: (boolean);
  'watermark'?: (_zoetrope_v1_WatermarkOptions__Output);
  'encryption'?: (string);
  '_audioBitrateKbps'?: "audioBitrateKbps";
  '_captions'?: "captions";
  '_poster'?: "poster";
  '_storyboard'?: "storyboard";
  '_download'?: "download";
  '_encryption'?: "encryption";
}
