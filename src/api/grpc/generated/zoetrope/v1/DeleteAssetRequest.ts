// Original file: proto/zoetrope/v1/assets.proto


export interface DeleteAssetRequest {
  'id'?: (string);
}

export interface DeleteAssetRequest__Output {
  'id'?: (string);
}
