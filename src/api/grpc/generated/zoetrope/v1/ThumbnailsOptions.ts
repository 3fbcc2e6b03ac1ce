// Original file: proto/zoetrope/v1/assets.proto


export interface ThumbnailsOptions {
  'timesSeconds'?: (number | string)[];
  'widthPx'?: (number);
  '_widthPx'?: "widthPx";
}

export interface ThumbnailsOptions__Output {
  'timesSeconds': (number)[];
  'widthPx'?: (number);
  '_widthPx'?: "widthPx";
}
