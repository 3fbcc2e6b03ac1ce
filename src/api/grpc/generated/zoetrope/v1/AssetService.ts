// Original file: proto/zoetrope/v1/assets.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Asset as _zoetrope_v1_Asset, Asset__Output as _zoetrope_v1_Asset__Output } from '../../zoetrope/v1/Asset.ts';
import type { CancelAssetsRequest as _zoetrope_v1_CancelAssetsRequest, CancelAssetsRequest__Output as _zoetrope_v1_CancelAssetsRequest__Output } from '../../zoetrope/v1/CancelAssetsRequest.ts';
import type { CancelAssetsResponse as _zoetrope_v1_CancelAssetsResponse, CancelAssetsResponse__Output as _zoetrope_v1_CancelAssetsResponse__Output } from '../../zoetrope/v1/CancelAssetsResponse.ts';
import type { CancelOutputsRequest as _zoetrope_v1_CancelOutputsRequest, CancelOutputsRequest__Output as _zoetrope_v1_CancelOutputsRequest__Output } from '../../zoetrope/v1/CancelOutputsRequest.ts';
import type { CancelOutputsResponse as _zoetrope_v1_CancelOutputsResponse, CancelOutputsResponse__Output as _zoetrope_v1_CancelOutputsResponse__Output } from '../../zoetrope/v1/CancelOutputsResponse.ts';
import type { CreateAssetRequest as _zoetrope_v1_CreateAssetRequest, CreateAssetRequest__Output as _zoetrope_v1_CreateAssetRequest__Output } from '../../zoetrope/v1/CreateAssetRequest.ts';
import type { DeleteAssetRequest as _zoetrope_v1_DeleteAssetRequest, DeleteAssetRequest__Output as _zoetrope_v1_DeleteAssetRequest__Output } from '../../zoetrope/v1/DeleteAssetRequest.ts';
import type { DeleteAssetResponse as _zoetrope_v1_DeleteAssetResponse, DeleteAssetResponse__Output as _zoetrope_v1_DeleteAssetResponse__Output } from '../../zoetrope/v1/DeleteAssetResponse.ts';
import type { GetAssetsRequest as _zoetrope_v1_GetAssetsRequest, GetAssetsRequest__Output as _zoetrope_v1_GetAssetsRequest__Output } from '../../zoetrope/v1/GetAssetsRequest.ts';
import type { GetAssetsResponse as _zoetrope_v1_GetAssetsResponse, GetAssetsResponse__Output as _zoetrope_v1_GetAssetsResponse__Output } from '../../zoetrope/v1/GetAssetsResponse.ts';
import type { ListAssetsRequest as _zoetrope_v1_ListAssetsRequest, ListAssetsRequest__Output as _zoetrope_v1_ListAssetsRequest__Output } from '../../zoetrope/v1/ListAssetsRequest.ts';
import type { ListAssetsResponse as _zoetrope_v1_ListAssetsResponse, ListAssetsResponse__Output as _zoetrope_v1_ListAssetsResponse__Output } from '../../zoetrope/v1/ListAssetsResponse.ts';
import type { RetryAssetRequest as _zoetrope_v1_RetryAssetRequest, RetryAssetRequest__Output as _zoetrope_v1_RetryAssetRequest__Output } from '../../zoetrope/v1/RetryAssetRequest.ts';
import type { UploadAssetRequest as _zoetrope_v1_UploadAssetRequest, UploadAssetRequest__Output as _zoetrope_v1_UploadAssetRequest__Output } from '../../zoetrope/v1/UploadAssetRequest.ts';
import type { WatchAssetRequest as _zoetrope_v1_WatchAssetRequest, WatchAssetRequest__Output as _zoetrope_v1_WatchAssetRequest__Output } from '../../zoetrope/v1/WatchAssetRequest.ts';

export interface AssetServiceClient extends grpc.Client {
  CancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  CancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  CancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  CancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  cancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  cancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  cancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  cancelAssets(argument: _zoetrope_v1_CancelAssetsRequest, callback: grpc.requestCallback<_zoetrope_v1_CancelAssetsResponse__Output>): grpc.ClientUnaryCall;
  
  CancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  CancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  CancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  CancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  cancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  cancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  cancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  cancelOutputs(argument: _zoetrope_v1_CancelOutputsRequest, callback: grpc.requestCallback<_zoetrope_v1_CancelOutputsResponse__Output>): grpc.ClientUnaryCall;
  
  CreateAsset(argument: _zoetrope_v1_CreateAssetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  CreateAsset(argument: _zoetrope_v1_CreateAssetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  CreateAsset(argument: _zoetrope_v1_CreateAssetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  CreateAsset(argument: _zoetrope_v1_CreateAssetRequest, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  createAsset(argument: _zoetrope_v1_CreateAssetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  createAsset(argument: _zoetrope_v1_CreateAssetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  createAsset(argument: _zoetrope_v1_CreateAssetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  createAsset(argument: _zoetrope_v1_CreateAssetRequest, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  
  DeleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  DeleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  DeleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  DeleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  deleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  deleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  deleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  deleteAsset(argument: _zoetrope_v1_DeleteAssetRequest, callback: grpc.requestCallback<_zoetrope_v1_DeleteAssetResponse__Output>): grpc.ClientUnaryCall;
  
  GetAssets(argument: _zoetrope_v1_GetAssetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  GetAssets(argument: _zoetrope_v1_GetAssetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  GetAssets(argument: _zoetrope_v1_GetAssetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  GetAssets(argument: _zoetrope_v1_GetAssetsRequest, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  getAssets(argument: _zoetrope_v1_GetAssetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  getAssets(argument: _zoetrope_v1_GetAssetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  getAssets(argument: _zoetrope_v1_GetAssetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  getAssets(argument: _zoetrope_v1_GetAssetsRequest, callback: grpc.requestCallback<_zoetrope_v1_GetAssetsResponse__Output>): grpc.ClientUnaryCall;
  
  ListAssets(argument: _zoetrope_v1_ListAssetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  ListAssets(argument: _zoetrope_v1_ListAssetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  ListAssets(argument: _zoetrope_v1_ListAssetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  ListAssets(argument: _zoetrope_v1_ListAssetsRequest, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  listAssets(argument: _zoetrope_v1_ListAssetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  listAssets(argument: _zoetrope_v1_ListAssetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  listAssets(argument: _zoetrope_v1_ListAssetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  listAssets(argument: _zoetrope_v1_ListAssetsRequest, callback: grpc.requestCallback<_zoetrope_v1_ListAssetsResponse__Output>): grpc.ClientUnaryCall;
  
  RetryAsset(argument: _zoetrope_v1_RetryAssetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  RetryAsset(argument: _zoetrope_v1_RetryAssetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  RetryAsset(argument: _zoetrope_v1_RetryAssetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  RetryAsset(argument: _zoetrope_v1_RetryAssetRequest, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  retryAsset(argument: _zoetrope_v1_RetryAssetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  retryAsset(argument: _zoetrope_v1_RetryAssetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  retryAsset(argument: _zoetrope_v1_RetryAssetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  retryAsset(argument: _zoetrope_v1_RetryAssetRequest, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientUnaryCall;
  
  UploadAsset(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  UploadAsset(metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  UploadAsset(options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  UploadAsset(callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  uploadAsset(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  uploadAsset(metadata: grpc.Metadata, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  uploadAsset(options: grpc.CallOptions, callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  uploadAsset(callback: grpc.requestCallback<_zoetrope_v1_Asset__Output>): grpc.ClientWritableStream<_zoetrope_v1_UploadAssetRequest>;
  
  WatchAsset(argument: _zoetrope_v1_WatchAssetRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_zoetrope_v1_Asset__Output>;
  WatchAsset(argument: _zoetrope_v1_WatchAssetRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_zoetrope_v1_Asset__Output>;
  watchAsset(argument: _zoetrope_v1_WatchAssetRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_zoetrope_v1_Asset__Output>;
  watchAsset(argument: _zoetrope_v1_WatchAssetRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_zoetrope_v1_Asset__Output>;
  
}

export interface AssetServiceHandlers extends grpc.UntypedServiceImplementation {
  CancelAssets: grpc.handleUnaryCall<_zoetrope_v1_CancelAssetsRequest__Output, _zoetrope_v1_CancelAssetsResponse>;
  
  CancelOutputs: grpc.handleUnaryCall<_zoetrope_v1_CancelOutputsRequest__Output, _zoetrope_v1_CancelOutputsResponse>;
  
  CreateAsset: grpc.handleUnaryCall<_zoetrope_v1_CreateAssetRequest__Output, _zoetrope_v1_Asset>;
  
  DeleteAsset: grpc.handleUnaryCall<_zoetrope_v1_DeleteAssetRequest__Output, _zoetrope_v1_DeleteAssetResponse>;
  
  GetAssets: grpc.handleUnaryCall<_zoetrope_v1_GetAssetsRequest__Output, _zoetrope_v1_GetAssetsResponse>;
  
  ListAssets: grpc.handleUnaryCall<_zoetrope_v1_ListAssetsRequest__Output, _zoetrope_v1_ListAssetsResponse>;
  
  RetryAsset: grpc.handleUnaryCall<_zoetrope_v1_RetryAssetRequest__Output, _zoetrope_v1_Asset>;
  
  UploadAsset: grpc.handleClientStreamingCall<_zoetrope_v1_UploadAssetRequest__Output, _zoetrope_v1_Asset>;
  
  WatchAsset: grpc.handleServerStreamingCall<_zoetrope_v1_WatchAssetRequest__Output, _zoetrope_v1_Asset>;
  
}

export interface AssetServiceDefinition extends grpc.ServiceDefinition {
  CancelAssets: MethodDefinition<_zoetrope_v1_CancelAssetsRequest, _zoetrope_v1_CancelAssetsResponse, _zoetrope_v1_CancelAssetsRequest__Output, _zoetrope_v1_CancelAssetsResponse__Output>
  CancelOutputs: MethodDefinition<_zoetrope_v1_CancelOutputsRequest, _zoetrope_v1_CancelOutputsResponse, _zoetrope_v1_CancelOutputsRequest__Output, _zoetrope_v1_CancelOutputsResponse__Output>
  CreateAsset: MethodDefinition<_zoetrope_v1_CreateAssetRequest, _zoetrope_v1_Asset, _zoetrope_v1_CreateAssetRequest__Output, _zoetrope_v1_Asset__Output>
  DeleteAsset: MethodDefinition<_zoetrope_v1_DeleteAssetRequest, _zoetrope_v1_DeleteAssetResponse, _zoetrope_v1_DeleteAssetRequest__Output, _zoetrope_v1_DeleteAssetResponse__Output>
  GetAssets: MethodDefinition<_zoetrope_v1_GetAssetsRequest, _zoetrope_v1_GetAssetsResponse, _zoetrope_v1_GetAssetsRequest__Output, _zoetrope_v1_GetAssetsResponse__Output>
  ListAssets: MethodDefinition<_zoetrope_v1_ListAssetsRequest, _zoetrope_v1_ListAssetsResponse, _zoetrope_v1_ListAssetsRequest__Output, _zoetrope_v1_ListAssetsResponse__Output>
  RetryAsset: MethodDefinition<_zoetrope_v1_RetryAssetRequest, _zoetrope_v1_Asset, _zoetrope_v1_RetryAssetRequest__Output, _zoetrope_v1_Asset__Output>
  UploadAsset: MethodDefinition<_zoetrope_v1_UploadAssetRequest, _zoetrope_v1_Asset, _zoetrope_v1_UploadAssetRequest__Output, _zoetrope_v1_Asset__Output>
  WatchAsset: MethodDefinition<_zoetrope_v1_WatchAssetRequest, _zoetrope_v1_Asset, _zoetrope_v1_WatchAssetRequest__Output, _zoetrope_v1_Asset__Output>
}
