// Original file: proto/zoetrope/v1/assets.proto


export interface CancelAssetsRequest {
  'ids'?: (string)[];
}

export interface CancelAssetsRequest__Output {
  'ids': (string)[];
}
