// Original file: proto/zoetrope/v1/assets.proto

import type { Failure as _zoetrope_v1_Failure, Failure__Output as _zoetrope_v1_Failure__Output } from '../../zoetrope/v1/Failure.ts';

export interface CancelResult {
  'id'?: (string);
  'cancelled'?: (boolean);
  'failure'?: (_zoetrope_v1_Failure | null);
}

export interface CancelResult__Output {
  'id'?: (string);
  'cancelled'?: (boolean);
  'failure'?: (_zoetrope_v1_Failure__Output);
}
