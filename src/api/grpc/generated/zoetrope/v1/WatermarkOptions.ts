// Original file: proto/zoetrope/v1/assets.proto


export interface WatermarkOptions {
  'objectKey'?: (string);
  'position'?: (string);
  'size'?: (number | string);
  'opacity'?: (number | string);
  'margin'?: (number | string);
  '_position'?: "position";
  '_size'?: "size";
  '_opacity'?: "opacity";
  '_margin'?: "margin";
}

export interface WatermarkOptions__Output {
  'objectKey'?: (string);
  'position'?: (string);
  'size'?: (number);
  'opacity'?: (number);
  'margin'?: (number);
  '_position'?: "position";
  '_size'?: "size";
  '_opacity'?: "opacity";
  '_margin'?: "margin";
}
