import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { Asset as _zoetrope_v1_Asset, Asset__Output as _zoetrope_v1_Asset__Output } from './zoetrope/v1/Asset.ts';
import type { AssetOptions as _zoetrope_v1_AssetOptions, AssetOptions__Output as _zoetrope_v1_AssetOptions__Output } from './zoetrope/v1/AssetOptions.ts';
import type { AssetServiceClient as _zoetrope_v1_AssetServiceClient, AssetServiceDefinition as _zoetrope_v1_AssetServiceDefinition } from './zoetrope/v1/AssetService.ts';
import type { AudioTrack as _zoetrope_v1_AudioTrack, AudioTrack__Output as _zoetrope_v1_AudioTrack__Output } from './zoetrope/v1/AudioTrack.ts';
import type { CancelAssetsRequest as _zoetrope_v1_CancelAssetsRequest, CancelAssetsRequest__Output as _zoetrope_v1_CancelAssetsRequest__Output } from './zoetrope/v1/CancelAssetsRequest.ts';
import type { CancelAssetsResponse as _zoetrope_v1_CancelAssetsResponse, CancelAssetsResponse__Output as _zoetrope_v1_CancelAssetsResponse__Output } from './zoetrope/v1/CancelAssetsResponse.ts';
import type { CancelOutputsRequest as _zoetrope_v1_CancelOutputsRequest, CancelOutputsRequest__Output as _zoetrope_v1_CancelOutputsRequest__Output } from './zoetrope/v1/CancelOutputsRequest.ts';
import type { CancelOutputsResponse as _zoetrope_v1_CancelOutputsResponse, CancelOutputsResponse__Output as _zoetrope_v1_CancelOutputsResponse__Output } from './zoetrope/v1/CancelOutputsResponse.ts';
import type { CancelResult as _zoetrope_v1_CancelResult, CancelResult__Output as _zoetrope_v1_CancelResult__Output } from './zoetrope/v1/CancelResult.ts';
import type { CreateAssetRequest as _zoetrope_v1_CreateAssetRequest, CreateAssetRequest__Output as _zoetrope_v1_CreateAssetRequest__Output } from './zoetrope/v1/CreateAssetRequest.ts';
import type { DeleteAssetRequest as _zoetrope_v1_DeleteAssetRequest, DeleteAssetRequest__Output as _zoetrope_v1_DeleteAssetRequest__Output } from './zoetrope/v1/DeleteAssetRequest.ts';
import type { DeleteAssetResponse as _zoetrope_v1_DeleteAssetResponse, DeleteAssetResponse__Output as _zoetrope_v1_DeleteAssetResponse__Output } from './zoetrope/v1/DeleteAssetResponse.ts';
import type { Failure as _zoetrope_v1_Failure, Failure__Output as _zoetrope_v1_Failure__Output } from './zoetrope/v1/Failure.ts';
import type { File as _zoetrope_v1_File, File__Output as _zoetrope_v1_File__Output } from './zoetrope/v1/File.ts';
import type { GetAssetsRequest as _zoetrope_v1_GetAssetsRequest, GetAssetsRequest__Output as _zoetrope_v1_GetAssetsRequest__Output } from './zoetrope/v1/GetAssetsRequest.ts';
import type { GetAssetsResponse as _zoetrope_v1_GetAssetsResponse, GetAssetsResponse__Output as _zoetrope_v1_GetAssetsResponse__Output } from './zoetrope/v1/GetAssetsResponse.ts';
import type { ListAssetsRequest as _zoetrope_v1_ListAssetsRequest, ListAssetsRequest__Output as _zoetrope_v1_ListAssetsRequest__Output } from './zoetrope/v1/ListAssetsRequest.ts';
import type { ListAssetsResponse as _zoetrope_v1_ListAssetsResponse, ListAssetsResponse__Output as _zoetrope_v1_ListAssetsResponse__Output } from './zoetrope/v1/ListAssetsResponse.ts';
import type { Media as _zoetrope_v1_Media, Media__Output as _zoetrope_v1_Media__Output } from './zoetrope/v1/Media.ts';
import type { Output as _zoetrope_v1_Output, Output__Output as _zoetrope_v1_Output__Output } from './zoetrope/v1/Output.ts';
import type { OutputOptions as _zoetrope_v1_OutputOptions, OutputOptions__Output as _zoetrope_v1_OutputOptions__Output } from './zoetrope/v1/OutputOptions.ts';
import type { OutputRef as _zoetrope_v1_OutputRef, OutputRef__Output as _zoetrope_v1_OutputRef__Output } from './zoetrope/v1/OutputRef.ts';
import type { Playback as _zoetrope_v1_Playback, Playback__Output as _zoetrope_v1_Playback__Output } from './zoetrope/v1/Playback.ts';
import type { RetryAssetRequest as _zoetrope_v1_RetryAssetRequest, RetryAssetRequest__Output as _zoetrope_v1_RetryAssetRequest__Output } from './zoetrope/v1/RetryAssetRequest.ts';
import type { Source as _zoetrope_v1_Source, Source__Output as _zoetrope_v1_Source__Output } from './zoetrope/v1/Source.ts';
import type { SubtitleTrack as _zoetrope_v1_SubtitleTrack, SubtitleTrack__Output as _zoetrope_v1_SubtitleTrack__Output } from './zoetrope/v1/SubtitleTrack.ts';
import type { ThumbnailsOptions as _zoetrope_v1_ThumbnailsOptions, ThumbnailsOptions__Output as _zoetrope_v1_ThumbnailsOptions__Output } from './zoetrope/v1/ThumbnailsOptions.ts';
import type { UploadAssetRequest as _zoetrope_v1_UploadAssetRequest, UploadAssetRequest__Output as _zoetrope_v1_UploadAssetRequest__Output } from './zoetrope/v1/UploadAssetRequest.ts';
import type { UploadStart as _zoetrope_v1_UploadStart, UploadStart__Output as _zoetrope_v1_UploadStart__Output } from './zoetrope/v1/UploadStart.ts';
import type { VideoOptions as _zoetrope_v1_VideoOptions, VideoOptions__Output as _zoetrope_v1_VideoOptions__Output } from './zoetrope/v1/VideoOptions.ts';
import type { VideoTrack as _zoetrope_v1_VideoTrack, VideoTrack__Output as _zoetrope_v1_VideoTrack__Output } from './zoetrope/v1/VideoTrack.ts';
import type { WatchAssetRequest as _zoetrope_v1_WatchAssetRequest, WatchAssetRequest__Output as _zoetrope_v1_WatchAssetRequest__Output } from './zoetrope/v1/WatchAssetRequest.ts';
import type { WatermarkOptions as _zoetrope_v1_WatermarkOptions, WatermarkOptions__Output as _zoetrope_v1_WatermarkOptions__Output } from './zoetrope/v1/WatermarkOptions.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  zoetrope: {
    v1: {
      Asset: MessageTypeDefinition<_zoetrope_v1_Asset, _zoetrope_v1_Asset__Output>
      AssetOptions: MessageTypeDefinition<_zoetrope_v1_AssetOptions, _zoetrope_v1_AssetOptions__Output>
      AssetService: SubtypeConstructor<typeof grpc.Client, _zoetrope_v1_AssetServiceClient> & { service: _zoetrope_v1_AssetServiceDefinition }
      AudioTrack: MessageTypeDefinition<_zoetrope_v1_AudioTrack, _zoetrope_v1_AudioTrack__Output>
      CancelAssetsRequest: MessageTypeDefinition<_zoetrope_v1_CancelAssetsRequest, _zoetrope_v1_CancelAssetsRequest__Output>
      CancelAssetsResponse: MessageTypeDefinition<_zoetrope_v1_CancelAssetsResponse, _zoetrope_v1_CancelAssetsResponse__Output>
      CancelOutputsRequest: MessageTypeDefinition<_zoetrope_v1_CancelOutputsRequest, _zoetrope_v1_CancelOutputsRequest__Output>
      CancelOutputsResponse: MessageTypeDefinition<_zoetrope_v1_CancelOutputsResponse, _zoetrope_v1_CancelOutputsResponse__Output>
      CancelResult: MessageTypeDefinition<_zoetrope_v1_CancelResult, _zoetrope_v1_CancelResult__Output>
      CreateAssetRequest: MessageTypeDefinition<_zoetrope_v1_CreateAssetRequest, _zoetrope_v1_CreateAssetRequest__Output>
      DeleteAssetRequest: MessageTypeDefinition<_zoetrope_v1_DeleteAssetRequest, _zoetrope_v1_DeleteAssetRequest__Output>
      DeleteAssetResponse: MessageTypeDefinition<_zoetrope_v1_DeleteAssetResponse, _zoetrope_v1_DeleteAssetResponse__Output>
      Failure: MessageTypeDefinition<_zoetrope_v1_Failure, _zoetrope_v1_Failure__Output>
      File: MessageTypeDefinition<_zoetrope_v1_File, _zoetrope_v1_File__Output>
      GetAssetsRequest: MessageTypeDefinition<_zoetrope_v1_GetAssetsRequest, _zoetrope_v1_GetAssetsRequest__Output>
      GetAssetsResponse: MessageTypeDefinition<_zoetrope_v1_GetAssetsResponse, _zoetrope_v1_GetAssetsResponse__Output>
      ListAssetsRequest: MessageTypeDefinition<_zoetrope_v1_ListAssetsRequest, _zoetrope_v1_ListAssetsRequest__Output>
      ListAssetsResponse: MessageTypeDefinition<_zoetrope_v1_ListAssetsResponse, _zoetrope_v1_ListAssetsResponse__Output>
      Media: MessageTypeDefinition<_zoetrope_v1_Media, _zoetrope_v1_Media__Output>
      Output: MessageTypeDefinition<_zoetrope_v1_Output, _zoetrope_v1_Output__Output>
      OutputOptions: MessageTypeDefinition<_zoetrope_v1_OutputOptions, _zoetrope_v1_OutputOptions__Output>
      OutputRef: MessageTypeDefinition<_zoetrope_v1_OutputRef, _zoetrope_v1_OutputRef__Output>
      Playback: MessageTypeDefinition<_zoetrope_v1_Playback, _zoetrope_v1_Playback__Output>
      RetryAssetRequest: MessageTypeDefinition<_zoetrope_v1_RetryAssetRequest, _zoetrope_v1_RetryAssetRequest__Output>
      Source: MessageTypeDefinition<_zoetrope_v1_Source, _zoetrope_v1_Source__Output>
      SubtitleTrack: MessageTypeDefinition<_zoetrope_v1_SubtitleTrack, _zoetrope_v1_SubtitleTrack__Output>
      ThumbnailsOptions: MessageTypeDefinition<_zoetrope_v1_ThumbnailsOptions, _zoetrope_v1_ThumbnailsOptions__Output>
      UploadAssetRequest: MessageTypeDefinition<_zoetrope_v1_UploadAssetRequest, _zoetrope_v1_UploadAssetRequest__Output>
      UploadStart: MessageTypeDefinition<_zoetrope_v1_UploadStart, _zoetrope_v1_UploadStart__Output>
      VideoOptions: MessageTypeDefinition<_zoetrope_v1_VideoOptions, _zoetrope_v1_VideoOptions__Output>
      VideoTrack: MessageTypeDefinition<_zoetrope_v1_VideoTrack, _zoetrope_v1_VideoTrack__Output>
      WatchAssetRequest: MessageTypeDefinition<_zoetrope_v1_WatchAssetRequest, _zoetrope_v1_WatchAssetRequest__Output>
      WatermarkOptions: MessageTypeDefinition<_zoetrope_v1_WatermarkOptions, _zoetrope_v1_WatermarkOptions__Output>
      WorkState: EnumTypeDefinition
    }
  }
}

