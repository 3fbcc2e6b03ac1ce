// Original file: proto/zoetrope/v1/assets.proto

import type { Asset as _zoetrope_v1_Asset, Asset__Output as _zoetrope_v1_Asset__Output } from '../../zoetrope/v1/Asset.ts';

export interface GetAssetsResponse {
  'assets'?: (_zoetrope_v1_Asset)[];
  'missingIds'?: (string)[];
  'missingReferenceIds'?: (string)[];
}

export interface GetAssetsResponse__Output {
  'assets': (_zoetrope_v1_Asset__Output)[];
  'missingIds': (string)[];
  'missingReferenceIds': (string)[];
}
