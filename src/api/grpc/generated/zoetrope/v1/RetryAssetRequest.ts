// Original file: proto/zoetrope/v1/assets.proto


export interface RetryAssetRequest {
  'id'?: (string);
}

export interface RetryAssetRequest__Output {
  'id'?: (string);
}
