// Original file: proto/zoetrope/v1/assets.proto


export interface AudioTrack {
  'index'?: (number);
  'codec'?: (string);
  'sampleRateHz'?: (number);
  'channels'?: (number);
  'language'?: (string);
  'title'?: (string);
  'bitsPerS'?: (number | string);
  '_bitsPerS'?: "bitsPerS";
}

export interface AudioTrack__Output {
  'index'?: (number);
  'codec'?: (string);
  'sampleRateHz'?: (number);
  'channels'?: (number);
  'language'?: (string);
  'title'?: (string);
  'bitsPerS'?: (number);
  '_bitsPerS'?: "bitsPerS";
}
