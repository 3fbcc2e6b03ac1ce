// Original file: proto/zoetrope/v1/assets.proto


export interface Failure {
  'code'?: (string);
  'message'?: (string);
}

export interface Failure__Output {
  'code'?: (string);
  'message'?: (string);
}
