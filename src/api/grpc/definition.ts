import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './generated/assets.ts';
import type { AssetServiceDefinition } from './generated/zoetrope/v1/AssetService.ts';

/** The gRPC API as read from `proto/`. */
export interface GrpcDefinition {
  readonly assetService: AssetServiceDefinition;
}

/** The full name of the service, as health checks and reflection know it. */
export const ASSET_SERVICE = 'zoetrope.v1.AssetService';

/** Reads the definition; the generated types are of the same options. */
export function loadDefinition(): GrpcDefinition {
  const definition = load({ longs: Number, enums: String, oneofs: true, arrays: true });
  // The loader knows shapes at run time alone; the generator made this type from the same file.
  const loaded = loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  return { assetService: loaded.zoetrope.v1.AssetService.service };
}

const ASSET_PACKAGE = 'zoetrope.v1';
/** What the loader calls the file of a package; it keeps the messages of a package together. */
const WELL_KNOWN_FILE = 'google_protobuf.proto';
/** `FileDescriptorProto.dependency` (google/protobuf/descriptor.proto), a string of fewer than 128 bytes. */
const DEPENDENCY_TAG = 0x1a;

/**
 * The definition for clients that ask the server for it: with the names of `proto/`, and with the imports, which the loader leaves out, so that
 * clients could not put the types together.
 */
export function loadReflected(): PackageDefinition {
  const dependency = Buffer.from([DEPENDENCY_TAG, WELL_KNOWN_FILE.length, ...Buffer.from(WELL_KNOWN_FILE)]);
  // Fields of a message may come in any order, so one more is put at its end.
  const withImports = (file: Buffer): Buffer =>
    file.includes(ASSET_PACKAGE) ? Buffer.concat([file, dependency]) : file;
  return Object.fromEntries(
    Object.entries(load({ keepCase: true })).map(([name, item]) => {
      const files = item['fileDescriptorProtos'];
      return [name, Array.isArray(files) ? { ...item, fileDescriptorProtos: files.map(withImports) } : item];
    }),
  ) as PackageDefinition;
}

function load(options: Options): PackageDefinition {
  const includeDirs = [fileURLToPath(new URL('../../../proto', import.meta.url))];
  return loadSync('zoetrope/v1/assets.proto', { ...options, includeDirs });
}
