// Original file: proto/zoetrope/v1/assets.proto


export interface WatchAssetRequest {
  'id'?: (string);
}

export interface WatchAssetRequest__Output {
  'id'?: (string);
}
