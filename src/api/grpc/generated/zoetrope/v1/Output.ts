// Original file: proto/zoetrope/v1/assets.proto

import type { WorkState as _zoetrope_v1_WorkState, WorkState__Output as _zoetrope_v1_WorkState__Output } from '../../zoetrope/v1/WorkState.ts';
import type { Failure as _zoetrope_v1_Failure, Failure__Output as _zoetrope_v1_Failure__Output } from '../../zoetrope/v1/Failure.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { File as _zoetrope_v1_File, File__Output as _zoetrope_v1_File__Output } from '../../zoetrope/v1/File.ts';
import type { Long } from '@grpc/proto-loader';

export interface Output {
  'id'?: (string);
  'name'?: (string);
  'kind'?: (string);
  'state'?: (_zoetrope_v1_WorkState);
  'cause'?: (_zoetrope_v1_Failure | null);
  'progress'?: (number | string);
  'etaSeconds'?: (number | string);
  'cpuSeconds'?: (number | string);
  'peakMemoryBytes'?: (number | string | Long);
  'wallSeconds'?: (number | string);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'codec'?: (string);
  'width'?: (number);
  'height'?: (number);
  'language'?: (string);
  'files'?: (_zoetrope_v1_File)[];
  '_etaSeconds'?: "etaSeconds";
}

export interface Output__Output {
  'id'?: (string);
  'name'?: (string);
  'kind'?: (string);
  'state'?: (_zoetrope_v1_WorkState__Output);
  'cause'?: (_zoetrope_v1_Failure__Output);
  'progress'?: (number);
  'etaSeconds'?: (number);
  'cpuSeconds'?: (number);
  'peakMemoryBytes'?: (number);
  'wallSeconds'?: (number);
  'startedAt'?: (_google_protobuf_Timestamp__Output);
  'endedAt'?: (_google_protobuf_Timestamp__Output);
  'codec'?: (string);
  'width'?: (number);
  'height'?: (number);
  'language'?: (string);
  'files': (_zoetrope_v1_File__Output)[];
  '_etaSeconds'?: "etaSeconds";
}
