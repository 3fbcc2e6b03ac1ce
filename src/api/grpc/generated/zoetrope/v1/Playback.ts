// Original file: proto/zoetrope/v1/assets.proto


export interface Playback {
  'hls'?: (string);
  'dash'?: (string);
  'poster'?: (string);
  'storyboardVtt'?: (string);
  'storyboardJson'?: (string);
  'download'?: (string);
}

export interface Playback__Output {
  'hls'?: (string);
  'dash'?: (string);
  'poster'?: (string);
  'storyboardVtt'?: (string);
  'storyboardJson'?: (string);
  'download'?: (string);
}
