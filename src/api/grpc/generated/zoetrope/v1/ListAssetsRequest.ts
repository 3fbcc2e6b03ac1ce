// Original file: proto/zoetrope/v1/assets.proto

import type { WorkState as _zoetrope_v1_WorkState, WorkState__Output as _zoetrope_v1_WorkState__Output } from '../../zoetrope/v1/WorkState.ts';

export interface ListAssetsRequest {
  'states'?: (_zoetrope_v1_WorkState)[];
  'query'?: (string);
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListAssetsRequest__Output {
  'states': (_zoetrope_v1_WorkState__Output)[];
  'query'?: (string);
  'pageSize'?: (number);
  'pageToken'?: (string);
}
