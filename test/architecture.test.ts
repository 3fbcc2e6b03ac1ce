import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOf, readSourceFiles, type SourceFile } from './fixtures/source-files.ts';

/** The layers, low to high: a folder imports itself and folders of rows above its own. Docs: docs/design/architecture.md. */
const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['config'],
  ['egress'],
  ['timeline'],
  ['packager'],
  ['catalog', 'objects', 'events'],
  ['engine'],
  ['access'],
  ['ingest'],
  ['vod'],
  ['ladder'],
  ['recordings'],
  ['upkeep'],
  ['edge'],
  ['simulator'],
  ['delivery'],
  ['webhooks'],
  ['api'],
  ['metrics'],
  ['app'],
  ['cli'],
];

/** Folders whose subfolders are adapters of the port at their top: only these may choose one. */
const PORTS = ['catalog', 'objects', 'events'];
const CHOOSERS = ['app', 'cli'];

const AIMED_LINES = 400;
const MOST_LINES = 600;

/** Files above {@link AIMED_LINES}, each with the reason why it is one file. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const sources = await readSourceFiles(['src/**/*.ts']);
const everything = await readSourceFiles(['{src,test,scripts,bench}/**/*.ts', 'console/**/*.{ts,tsx}']);
const productFiles = sources.filter((file) => !file.isTest);

test('every folder of src is a layer', () => {
  const known = new Set(LAYERS.flat());
  const unknown = sources.filter((file) => !known.has(folderOf(file.path))).map((file) => file.path);
  assertNone(unknown, 'Give the folder a row in LAYERS and in docs/design/architecture.md, or move the file');
});

test('imports point down the layers', () => {
  const wrong = edges(productFiles).filter(([file, target]) => {
    const [from, to] = [folderOf(file.path), folderOf(target)];
    return target.startsWith('src/') && from !== to && rowOf(to) >= rowOf(from);
  });
  assertNone(wrong.map(arrow), 'Let the lower folder declare what it needs and the upper one pass it in');
});

test('the product imports nothing from tests, benchmarks, scripts or the console', () => {
  const wrong = edges(productFiles).filter(([, target]) => !target.startsWith('src/') && target !== 'package.json');
  assertNone(wrong.map(arrow), 'Move what is shared into src/');
});

test('only the composition root picks adapters', () => {
  const wrong = edges(productFiles).filter(([file, target]) => {
    const [, port, adapter] = target.split('/');
    if (port === undefined || !PORTS.includes(port) || !isFolder(adapter)) return false;
    const [, importer, own] = file.path.split('/');
    if (importer === port) return !isFolder(own);
    return importer === undefined || !CHOOSERS.includes(importer);
  });
  assertNone(wrong.map(arrow), "Use the port's interface and let src/app pass the adapter in");
});

test('no file imports itself in a circle', () => {
  assertNone(cyclesOf(productFiles), 'Move what both need into a file of its own');
});

test('the console shares nothing with the server but the shapes of its API', () => {
  const files = everything.filter((file) => file.path.startsWith('console/'));
  const wrong = edges(files).filter(
    ([, target]) => target.startsWith('src/') && !/^src\/(api\/rest\/(\w+-)?shapes\.ts$|base\/)/.test(target),
  );
  assertNone(wrong.map(arrow), 'The console speaks to the server over HTTP alone');
});

test('environment variables are read in src/config alone', () => {
  assertNone(matches(productFiles, /process\.env\b/g, ['src/config/']), 'Make it a setting in src/config/schema.ts');
});

test('nothing but the command line and the engine processes writes to the console', () => {
  const pattern = /\bconsole\.(log|error|warn|info|debug)\b|process\.std(out|err)\.write/g;
  assertNone(matches(productFiles, pattern, ['src/cli/', 'src/engine/worker/']), 'Take a Logger');
});

test('no type is escaped and no rule silenced', () => {
  const wrong = everything.flatMap((file) => {
    const code = withoutComments(file);
    const escapes = [...code.matchAll(/(?<=[:<,|&(]\s?|\bas )any\b(?=[\s,;>)\]|&=]|$)/gm)];
    const silenced = file.comments.filter(({ value }) =>
      // A rule may be wrong once: then its comment ends in ` -- ` and the reason.
      /@ts-(ignore|nocheck|expect-error)|(ox|es)lint-disable(?!-next-line [^\n]+ -- \S)/.test(value),
    );
    return [...escapes.map((match) => match.index), ...silenced.map((comment) => comment.start)].map(
      (position) => `${file.path}:${lineOf(file, position)}`,
    );
  });
  assertNone(wrong, 'Say the type (`unknown` where it is not known) and narrow it');
});

test('no folder is a drawer for anything', () => {
  const drawers = /(^|\/)(utils?|helpers?|common|misc|shared|lib)(\/|\.tsx?$)/;
  const wrong = everything.filter((file) => drawers.test(file.path)).map((file) => file.path);
  assertNone(wrong, 'Name the noun that it is about');
});

test('files are short', (t) => {
  const long = everything.filter((file) => file.lineCount > AIMED_LINES && !isGenerated(file));
  for (const file of long) t.diagnostic(`${file.path} has ${file.lineCount} lines`);
  const wrong = long.filter((file) => file.lineCount > MOST_LINES || LONG_FILES[file.path] === undefined);
  assertNone(
    wrong.map((file) => `${file.path}: ${file.lineCount} lines`),
    `Split it, or give a reason in LONG_FILES for ${AIMED_LINES}–${MOST_LINES} lines`,
  );
});

test('names are kebab-case, but for components of the console', () => {
  const wrong = everything.filter((file) => !/(^|\/)[a-z0-9]+([.-][a-z0-9]+)*\.tsx?$/.test(file.path));
  assertNone(
    wrong.map((file) => file.path).filter((path) => !/^console\/.*\/[A-Z]\w*\.tsx$/.test(path)),
    'Rename it',
  );
});

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function rowOf(folder: string): number {
  return LAYERS.findIndex((row) => row.includes(folder));
}

function isFolder(part: string | undefined): boolean {
  return part !== undefined && !part.endsWith('.ts');
}

function isGenerated(file: SourceFile): boolean {
  return file.text.startsWith('// Generated by ');
}

function edges(files: readonly SourceFile[]): readonly (readonly [SourceFile, string])[] {
  return files.flatMap((file) =>
    file.imports.flatMap(({ target }) => (target === null ? [] : [[file, target] as const])),
  );
}

function arrow([file, target]: readonly [SourceFile, string]): string {
  return `${file.path} → ${target}`;
}

function matches(files: readonly SourceFile[], pattern: RegExp, allowed: readonly string[]): readonly string[] {
  return files
    .filter((file) => !allowed.some((prefix) => file.path.startsWith(prefix)))
    .flatMap((file) =>
      [...withoutComments(file).matchAll(pattern)].map((match) => `${file.path}:${lineOf(file, match.index)}`),
    );
}

/** The text with comments blanked out, so that positions stay. */
function withoutComments(file: SourceFile): string {
  let code = file.text;
  for (const { start, end } of file.comments) {
    code = code.slice(0, start) + code.slice(start, end).replaceAll(/[^\n]/g, ' ') + code.slice(end);
  }
  return code;
}

/** Each circle of imports once, as `a → b → a`. Types count: a circle of types is one module in two files. */
function cyclesOf(files: readonly SourceFile[]): readonly string[] {
  const targets = new Map(files.map((file) => [file.path, file.imports.flatMap(({ target }) => target ?? [])]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) return void found.push([...trail.slice(at), path].join(' → '));
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return found;
}

function assertNone(faults: readonly string[], remedy: string): void {
  assert.ok(faults.length === 0, `${remedy}:\n${faults.join('\n')}`);
}
