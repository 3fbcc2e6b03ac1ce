// Original file: proto/zoetrope/v1/assets.proto

import type { CancelResult as _zoetrope_v1_CancelResult, CancelResult__Output as _zoetrope_v1_CancelResult__Output } from '../../zoetrope/v1/CancelResult.ts';

export interface CancelOutputsResponse {
  'results'?: (_zoetrope_v1_CancelResult)[];
}

export interface CancelOutputsResponse__Output {
  'results': (_zoetrope_v1_CancelResult__Output)[];
}
