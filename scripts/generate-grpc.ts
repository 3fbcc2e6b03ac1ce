// Writes the types of the gRPC API from proto/: `node scripts/generate-grpc.ts [DIRECTORY]`.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const target = process.argv[2] ?? join(root, 'src', 'api', 'grpc', 'generated');
rmSync(target, { recursive: true, force: true });
// The options are those that src/api/grpc/definition.ts loads with.
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules', '@grpc', 'proto-loader', 'build', 'bin', 'proto-loader-gen-types.js'),
    '--grpcLib=@grpc/grpc-js',
    '--longs=Number',
    '--enums=String',
    '--oneofs',
    '--arrays',
    '--importFileExtension=.ts',
    `--outDir=${target}`,
    'proto/zoetrope/v1/assets.proto',
  ],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
