// Original file: proto/zoetrope/v1/assets.proto

import type { Asset as _zoetrope_v1_Asset, Asset__Output as _zoetrope_v1_Asset__Output } from '../../zoetrope/v1/Asset.ts';

export interface ListAssetsResponse {
  'assets'?: (_zoetrope_v1_Asset)[];
  'nextPageToken'?: (string);
}

export interface ListAssetsResponse__Output {
  'assets': (_zoetrope_v1_Asset__Output)[];
  'nextPageToken'?: (string);
}
