import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './generated/assets.ts';
import type { AssetServiceDefinition } from './generated/zoetrope/v1/AssetService.ts';

/** The gRPC API as read from `proto/`. */
export interface GrpcDefinition {
  readonly package: PackageDefinition;
  readonly assetService: AssetServiceDefinition;
}

/** The full name of the service, as health checks and reflection know it. */
export const ASSET_SERVICE = 'zoetrope.v1.AssetService';

/** Reads the definition; the generated types are of the same options. */
export function loadDefinition(): GrpcDefinition {
  const definition = loadSync('zoetrope/v1/assets.proto', {
    longs: Number,
    enums: String,
    oneofs: true,
    arrays: true,
    includeDirs: [fileURLToPath(new URL('../../../proto', import.meta.url))],
  });
  // The loader knows shapes at run time alone; the generator made this type from the same file.
  const loaded = loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  return { package: definition, assetService: loaded.zoetrope.v1.AssetService.service };
}
