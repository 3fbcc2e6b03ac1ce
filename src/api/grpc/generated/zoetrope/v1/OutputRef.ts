// Original file: proto/zoetrope/v1/assets.proto


export interface OutputRef {
  'assetId'?: (string);
  'outputId'?: (string);
}

export interface OutputRef__Output {
  'assetId'?: (string);
  'outputId'?: (string);
}
