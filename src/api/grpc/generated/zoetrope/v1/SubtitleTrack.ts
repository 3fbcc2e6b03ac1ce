// Original file: proto/zoetrope/v1/assets.proto


export interface SubtitleTrack {
  'index'?: (number);
  'codec'?: (string);
  'language'?: (string);
  'title'?: (string);
  'isText'?: (boolean);
}

export interface SubtitleTrack__Output {
  'index'?: (number);
  'codec'?: (string);
  'language'?: (string);
  'title'?: (string);
  'isText'?: (boolean);
}
