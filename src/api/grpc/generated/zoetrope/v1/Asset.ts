// Original file: proto/zoetrope/v1/assets.proto

import type { WorkState as _zoetrope_v1_WorkState, WorkState__Output as _zoetrope_v1_WorkState__Output } from '../../zoetrope/v1/WorkState.ts';
import type { Failure as _zoetrope_v1_Failure, Failure__Output as _zoetrope_v1_Failure__Output } from '../../zoetrope/v1/Failure.ts';
import type { Media as _zoetrope_v1_Media, Media__Output as _zoetrope_v1_Media__Output } from '../../zoetrope/v1/Media.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Playback as _zoetrope_v1_Playback, Playback__Output as _zoetrope_v1_Playback__Output } from '../../zoetrope/v1/Playback.ts';
import type { Output as _zoetrope_v1_Output, Output__Output as _zoetrope_v1_Output__Output } from '../../zoetrope/v1/Output.ts';

export interface Asset {
  'id'?: (string);
  'tenant'?: (string);
  'name'?: (string);
  'referenceId'?: (string);
  'state'?: (_zoetrope_v1_WorkState);
  'cause'?: (_zoetrope_v1_Failure | null);
  'priority'?: (number);
  'media'?: (_zoetrope_v1_Media | null);
  'durationSeconds'?: (number | string);
  'progress'?: (number | string);
  'speed'?: (number | string);
  'etaSeconds'?: (number | string);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'playableAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'playback'?: (_zoetrope_v1_Playback | null);
  'outputs'?: (_zoetrope_v1_Output)[];
  '_durationSeconds'?: "durationSeconds";
  '_speed'?: "speed";
  '_etaSeconds'?: "etaSeconds";
}

export interface Asset__Output {
  'id'?: (string);
  'tenant'?: (string);
  'name'?: (string);
  'referenceId'?: (string);
  'state'?: (_zoetrope_v1_WorkState__Output);
  'cause'?: (_zoetrope_v1_Failure__Output);
  'priority'?: (number);
  'media'?: (_zoetrope_v1_Media__Output);
  'durationSeconds'?: (number);
  'progress'?: (number);
  'speed'?: (number);
  'etaSeconds'?: (number);
  'createdAt'?: (_google_protobuf_Timestamp__Output);
  'startedAt'?: (_google_protobuf_Timestamp__Output);
  'playableAt'?: (_google_protobuf_Timestamp__Output);
  'endedAt'?: (_google_protobuf_Timestamp__Output);
  'playback'?: (_zoetrope_v1_Playback__Output);
  'outputs': (_zoetrope_v1_Output__Output)[];
  '_durationSeconds'?: "durationSeconds";
  '_speed'?: "speed";
  '_etaSeconds'?: "etaSeconds";
}
