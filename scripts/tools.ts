import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that tests or benchmarks use as a peer or client. The product itself needs none of them. */
export interface Tool {
  readonly command: string;
  /** The Debian package that holds it. */
  readonly debianPackage: string;
  readonly purpose: string;
  /** Where its package puts it when that is not on the PATH: folders, of which the newest version's counts. */
  readonly folders?: { readonly of: string; readonly below: string };
  /** An environment variable that may name it instead. */
  readonly pathVariable?: string;
}

/** Every such program. */
export const TOOLS = {
  chromium: {
    command: 'chromium',
    debianPackage: 'chromium',
    purpose: 'plays what Zoetrope serves, in the end-to-end tests',
    pathVariable: 'CHROMIUM_PATH',
  },
  ffmpeg: { command: 'ffmpeg', debianPackage: 'ffmpeg', purpose: 'decodes what Zoetrope writes, as a second opinion' },
  ffprobe: { command: 'ffprobe', debianPackage: 'ffmpeg', purpose: 'measures what Zoetrope writes' },
  promtool: { command: 'promtool', debianPackage: 'prometheus', purpose: 'lints the metrics' },
  python: {
    command: 'python3',
    debianPackage: 'python3-venv',
    purpose: 'runs the gRPC client in another language, in a virtual environment with packages from PyPI',
  },
  xmllint: { command: 'xmllint', debianPackage: 'libxml2-utils', purpose: 'checks DASH manifests against the schema' },
  curl: { command: 'curl', debianPackage: 'curl', purpose: 'runs the commands of the guides as they stand there' },
  openssl: { command: 'openssl', debianPackage: 'openssl', purpose: 'makes the certificates of TLS tests' },
  postgres: {
    command: 'postgres',
    debianPackage: 'postgresql',
    purpose: 'is the database of test:cluster',
    folders: { of: '/usr/lib/postgresql', below: 'bin' },
  },
  nginx: { command: 'nginx', debianPackage: 'nginx-light', purpose: 'is the peer of bench:delivery' },
  wrk: { command: 'wrk', debianPackage: 'wrk', purpose: 'makes the load of bench:delivery' },
} as const satisfies Readonly<Record<string, Tool>>;

/**
 * Makes sure that these programs are there: installs what is missing when this is Debian and we are root.
 *
 * @throws naming each missing program and the command that installs it. Never passes over one in silence.
 */
export function ensureTools(tools: readonly Tool[]): void {
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.debianPackage))];
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) installDebianPackages(packages);
  const stillMissing = missing.filter((tool) => findTool(tool) === undefined);
  if (stillMissing.length === 0) return;
  const lines = stillMissing.map(({ command, purpose, ...tool }) => {
    const { pathVariable }: Pick<Tool, 'pathVariable'> = tool;
    return `  ${command}, which ${purpose}${pathVariable === undefined ? '' : ` (or name it in ${pathVariable})`}`;
  });
  throw new Error(
    `These programs are needed and were not found:\n${lines.join('\n')}\n` +
      `On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${packages.join(' ')}`,
  );
}

/** Where a program is; undefined when it is not there. */
export function findTool(tool: Tool): string | undefined {
  const named = tool.pathVariable === undefined ? undefined : process.env[tool.pathVariable];
  if (named !== undefined && named !== '') return existsSync(named) ? named : undefined;
  const directories = [...foldersOf(tool), ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, tool.command)).find((path) => existsSync(path));
}

function foldersOf({ folders }: Tool): readonly string[] {
  if (folders === undefined || !existsSync(folders.of)) return [];
  const versions = readdirSync(folders.of).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(folders.of, version, folders.below));
}

function installDebianPackages(packages: readonly string[]): void {
  console.log(`installing ${packages.join(', ')} from Debian`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', ...packages],
  ]) {
    const { status, stdout, stderr } = spawnSync('apt-get', args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // The caller looks again and says what is missing; this says why.
    if (status !== 0) console.error(`apt-get ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`);
  }
}
