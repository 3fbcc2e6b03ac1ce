// Original file: proto/zoetrope/v1/assets.proto

import type { VideoTrack as _zoetrope_v1_VideoTrack, VideoTrack__Output as _zoetrope_v1_VideoTrack__Output } from '../../zoetrope/v1/VideoTrack.ts';
import type { AudioTrack as _zoetrope_v1_AudioTrack, AudioTrack__Output as _zoetrope_v1_AudioTrack__Output } from '../../zoetrope/v1/AudioTrack.ts';
import type { SubtitleTrack as _zoetrope_v1_SubtitleTrack, SubtitleTrack__Output as _zoetrope_v1_SubtitleTrack__Output } from '../../zoetrope/v1/SubtitleTrack.ts';
import type { Long } from '@grpc/proto-loader';

export interface Media {
  'container'?: (string);
  'sizeBytes'?: (number | string | Long);
  'video'?: (_zoetrope_v1_VideoTrack)[];
  'audio'?: (_zoetrope_v1_AudioTrack)[];
  'subtitles'?: (_zoetrope_v1_SubtitleTrack)[];
}

export interface Media__Output {
  'container'?: (string);
  'sizeBytes'?: (number);
  'video': (_zoetrope_v1_VideoTrack__Output)[];
  'audio': (_zoetrope_v1_AudioTrack__Output)[];
  'subtitles': (_zoetrope_v1_SubtitleTrack__Output)[];
}
