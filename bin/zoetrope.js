#!/usr/bin/env node
// Starts the command line on the Node that was installed beside Zoetrope, whatever Node ran this file.
// Plain JavaScript for any Node from 18 on: the TypeScript sources need type stripping, which the stock Node 20 lacks.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MINIMUM_MAJOR = 24;
const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const main = join(here, '..', 'src', 'cli', 'main.ts');
// Compiled code is kept beside the packages, for this process and those that it starts: half of a start is compiling. Where nothing can be written, it goes without.
process.env.NODE_COMPILE_CACHE ??= join(here, '..', 'node_modules', '.cache', 'compiled');

if (Number(process.versions.node.split('.')[0]) >= MINIMUM_MAJOR) {
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  await import(pathToFileURL(main).href);
} else {
  const bundled = findBundledNode();
  if (bundled === undefined) {
    process.stderr.write(
      `zoetrope needs Node ${MINIMUM_MAJOR} or newer and found ${process.version}. ` +
        `Its own Node arrives with "npm install" as an optional dependency for linux (x64, arm64) and macOS; ` +
        `run it without --omit=optional, or start Zoetrope with a newer Node.\n`,
    );
    process.exit(1);
  }
  const child = spawn(bundled, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`zoetrope could not start ${bundled}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function findBundledNode() {
  const require = createRequire(import.meta.url);
  const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  for (const name of names) {
    try {
      const binary = join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node');
      if (existsSync(binary)) return binary;
    } catch {
      // Not this package: the other name, or none, is installed on this platform.
    }
  }
  return undefined;
}
