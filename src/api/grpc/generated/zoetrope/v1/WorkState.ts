// Original file: proto/zoetrope/v1/assets.proto

export const WorkState = {
  WORK_STATE_UNSPECIFIED: 'WORK_STATE_UNSPECIFIED',
  QUEUED: 'QUEUED',
  PROBING: 'PROBING',
  TRANSCODING: 'TRANSCODING',
  PACKAGING: 'PACKAGING',
  READY: 'READY',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
} as const;

export type WorkState =
  | 'WORK_STATE_UNSPECIFIED'
  | 0
  | 'QUEUED'
  | 1
  | 'PROBING'
  | 2
  | 'TRANSCODING'
  | 3
  | 'PACKAGING'
  | 4
  | 'READY'
  | 5
  | 'FAILED'
  | 6
  | 'CANCELLED'
  | 7

export type WorkState__Output = typeof WorkState[keyof typeof WorkState]
