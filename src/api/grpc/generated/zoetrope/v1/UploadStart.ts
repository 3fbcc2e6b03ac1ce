// Original file: proto/zoetrope/v1/assets.proto

import type { AssetOptions as _zoetrope_v1_AssetOptions, AssetOptions__Output as _zoetrope_v1_AssetOptions__Output } from '../../zoetrope/v1/AssetOptions.ts';
import type { Long } from '@grpc/proto-loader';

export interface UploadStart {
  'filename'?: (string);
  'sizeBytes'?: (number | string | Long);
  'sha256'?: (string);
  'options'?: (_zoetrope_v1_AssetOptions | null);
}

export interface UploadStart__Output {
  'filename'?: (string);
  'sizeBytes'?: (number);
  'sha256'?: (string);
  'options'?: (_zoetrope_v1_AssetOptions__Output);
}
