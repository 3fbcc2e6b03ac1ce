// Original file: proto/zoetrope/v1/assets.proto

import type { UploadStart as _zoetrope_v1_UploadStart, UploadStart__Output as _zoetrope_v1_UploadStart__Output } from '../../zoetrope/v1/UploadStart.ts';

export interface UploadAssetRequest {
  'start'?: (_zoetrope_v1_UploadStart | null);
  'chunk'?: (Buffer | Uint8Array | string);
  'part'?: "start"|"chunk";
}

export interface UploadAssetRequest__Output {
  'start'?: (_zoetrope_v1_UploadStart__Output);
  'chunk'?: (Buffer);
  'part'?: "start"|"chunk";
}
