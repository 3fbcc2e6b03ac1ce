// Original file: proto/zoetrope/v1/assets.proto


export interface GetAssetsRequest {
  'ids'?: (string)[];
  'referenceIds'?: (string)[];
}

export interface GetAssetsRequest__Output {
  'ids': (string)[];
  'referenceIds': (string)[];
}
