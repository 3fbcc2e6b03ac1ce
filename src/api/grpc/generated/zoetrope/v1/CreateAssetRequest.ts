// Original file: proto/zoetrope/v1/assets.proto

import type { Source as _zoetrope_v1_Source, Source__Output as _zoetrope_v1_Source__Output } from '../../zoetrope/v1/Source.ts';
import type { AssetOptions as _zoetrope_v1_AssetOptions, AssetOptions__Output as _zoetrope_v1_AssetOptions__Output } from '../../zoetrope/v1/AssetOptions.ts';

export interface CreateAssetRequest {
  'source'?: (_zoetrope_v1_Source | null);
  'options'?: (_zoetrope_v1_AssetOptions | null);
}

export interface CreateAssetRequest__Output {
  'source'?: (_zoetrope_v1_Source__Output);
  'options'?: (_zoetrope_v1_AssetOptions__Output);
}
