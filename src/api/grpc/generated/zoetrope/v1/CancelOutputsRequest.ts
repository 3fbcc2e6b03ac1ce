// Original file: proto/zoetrope/v1/assets.proto

import type { OutputRef as _zoetrope_v1_OutputRef, OutputRef__Output as _zoetrope_v1_OutputRef__Output } from '../../zoetrope/v1/OutputRef.ts';

export interface CancelOutputsRequest {
  'outputs'?: (_zoetrope_v1_OutputRef)[];
}

export interface CancelOutputsRequest__Output {
  'outputs': (_zoetrope_v1_OutputRef__Output)[];
}
