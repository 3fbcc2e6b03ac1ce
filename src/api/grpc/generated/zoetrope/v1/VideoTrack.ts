// Original file: proto/zoetrope/v1/assets.proto


export interface VideoTrack {
  'index'?: (number);
  'codec'?: (string);
  'width'?: (number);
  'height'?: (number);
  'codedWidth'?: (number);
  'codedHeight'?: (number);
  'rotation'?: (number);
  'frameRate'?: (number | string);
  'pixelFormat'?: (string);
  'bitDepth'?: (number);
  'isInterlaced'?: (boolean);
  'hdr'?: (string);
  'bitsPerS'?: (number | string);
  '_frameRate'?: "frameRate";
  '_bitsPerS'?: "bitsPerS";
}

export interface VideoTrack__Output {
  'index'?: (number);
  'codec'?: (string);
  'width'?: (number);
  'height'?: (number);
  'codedWidth'?: (number);
  'codedHeight'?: (number);
  'rotation'?: (number);
  'frameRate'?: (number);
  'pixelFormat'?: (string);
  'bitDepth'?: (number);
  'isInterlaced'?: (boolean);
  'hdr'?: (string);
  'bitsPerS'?: (number);
  '_frameRate'?: "frameRate";
  '_bitsPerS'?: "bitsPerS";
}
