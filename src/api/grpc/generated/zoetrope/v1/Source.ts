// Original file: proto/zoetrope/v1/assets.proto


export interface Source {
  'url'?: (string);
  'objectKey'?: (string);
  'from'?: "url"|"objectKey";
}

export interface Source__Output {
  'url'?: (string);
  'objectKey'?: (string);
  'from'?: "url"|"objectKey";
}
