// Original file: proto/zoetrope/v1/assets.proto

import type { Long } from '@grpc/proto-loader';

export interface File {
  'name'?: (string);
  'url'?: (string);
  'sizeBytes'?: (number | string | Long);
  'contentType'?: (string);
}

export interface File__Output {
  'name'?: (string);
  'url'?: (string);
  'sizeBytes'?: (number);
  'contentType'?: (string);
}
