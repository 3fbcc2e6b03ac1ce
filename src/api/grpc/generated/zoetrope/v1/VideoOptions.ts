// Original file: proto/zoetrope/v1/assets.proto


export interface VideoOptions {
  'codec'?: (string);
  'heightPx'?: (number);
  'bitrateKbps'?: (number);
  'crf'?: (number | string);
  'preset'?: (string);
  '_codec'?: "codec";
  '_heightPx'?: "heightPx";
  '_bitrateKbps'?: "bitrateKbps";
  '_crf'?: "crf";
  '_preset'?: "preset";
}

export interface VideoOptions__Output {
  'codec'?: (string);
  'heightPx'?: (number);
  'bitrateKbps'?: (number);
  'crf'?: (number);
  'preset'?: (string);
  '_codec'?: "codec";
  '_heightPx'?: "heightPx";
  '_bitrateKbps'?: "bitrateKbps";
  '_crf'?: "crf";
  '_preset'?: "preset";
}
