import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../src/cli/command-table.ts';
import { lineOf, readSourceFiles, repositoryRoot, type SourceFile } from './fixtures/source-files.ts';

const sources = (await readSourceFiles(['src/**/*.ts'])).filter((file) => !file.isTest);
const pages = await readPages();

/** Made by a build or at the end of one, so a link to it may dangle in a fresh clone. */
const GENERATED_TARGETS = /^docs\/reference\//;

test('every exported symbol says in a sentence what it is', () => {
  const wrong = sources.flatMap((file) => undocumentedExports(file));
  assertNone(wrong, 'Put a /** doc comment */ right above it whose first words are a sentence');
});

test('every relative link in the documentation leads somewhere', () => {
  const wrong = pages.flatMap(({ path, text }) =>
    linksOf(text)
      .filter((link) => !/^[a-z]+:|^#|^\/\//i.test(link))
      .map((link) => join(dirname(path), decodeURIComponent(link.split('#')[0] ?? '')))
      .filter((target) => !GENERATED_TARGETS.test(target) && !existsSync(join(repositoryRoot, target)))
      .map((target) => `${path} → ${target}`),
  );
  assertNone(wrong, 'Mend the link or write the page');
});

test('every link to a heading finds it', () => {
  const headings = new Map(pages.map(({ path, text }) => [path, headingsOf(text)]));
  const wrong = pages.flatMap(({ path, text }) =>
    linksOf(text)
      .filter((link) => link.includes('#') && !/^[a-z]+:/i.test(link))
      .filter((link) => {
        const [file = '', anchor = ''] = link.split('#');
        return headings.get(file === '' ? path : join(dirname(path), file))?.has(anchor) === false;
      })
      .map((link) => `${path} → ${link}`),
  );
  assertNone(wrong, 'Mend the anchor');
});

test('every npm script that the documentation names exists', async () => {
  const { scripts } = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const builtIn = new Set(['test', 'start']);
  const wrong = pages.flatMap(({ path, text }) =>
    [...codeOf(text).matchAll(/\bnpm run ([a-z][\w:-]*)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => scripts[name] === undefined && !builtIn.has(name))
      .map((name) => `${path}: npm run ${name}`),
  );
  assertNone(wrong, 'Name a script of package.json');
});

test('every zoetrope command that the documentation shows exists', () => {
  const names = new Set(COMMANDS.map((command) => command.name));
  const wrong = pages.flatMap(({ path, text }) =>
    commandsOf(text)
      .filter((name) => !names.has(name))
      .map((name) => `${path}: zoetrope ${name}`),
  );
  assertNone(wrong, 'Name a command of src/cli');
});

test('design pages have their sections', () => {
  const wanted = ['Goals', 'Non-goals', 'Design', 'Invariants', 'Failure modes', 'Alternatives'];
  const wrong = pages
    .filter(({ path }) => path.startsWith('docs/design/') && !path.endsWith('/http.md'))
    .flatMap(({ path, text }) => {
      const missing = wanted.filter((section) => !new RegExp(`^## ${section}\\b`, 'm').test(text));
      const status = /^Status: \S/m.test(text) ? [] : ['Status'];
      return [...status, ...missing].map((section) => `${path} lacks ${section}`);
    });
  assertNone(wrong, 'Say it, if only in a line');
});

test('no page names a path of one machine', () => {
  const wrong = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:^|[\s`'"(])\/(?:work|home\/\w+|root|Users\/\w+)\//gm)].map(() => path),
  );
  assertNone(wrong, 'Use a path that everybody has');
});

/** Exported declarations without a doc comment that starts with a sentence, as `file:line name`. */
function undocumentedExports(file: SourceFile): readonly string[] {
  const seen = new Set<string>();
  return file.program.body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration' && node.type !== 'ExportDefaultDeclaration') return [];
    const { declaration } = node;
    // `export { a } from './b.ts'` and `export { a }`: the declaration itself carries the comment.
    if (declaration === null || declaration === undefined) return [];
    const name = nameOf(declaration);
    // Overloads share the comment of the first.
    if (seen.has(name)) return [];
    seen.add(name);
    return isSentence(docAbove(file, node.start)) ? [] : [`${file.path}:${lineOf(file, node.start)} ${name}`];
  });
}

function nameOf(declaration: object): string {
  if ('id' in declaration && isNamed(declaration.id)) return declaration.id.name;
  if ('declarations' in declaration && Array.isArray(declaration.declarations)) {
    const [first] = declaration.declarations as readonly unknown[];
    if (typeof first === 'object' && first !== null) return nameOf(first);
  }
  return 'default';
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

/** The text of the doc comment that ends right above a position; empty when there is none. */
function docAbove(file: SourceFile, position: number): string {
  const comment = file.comments.findLast(({ end }) => end <= position);
  const isDoc = comment?.type === 'Block' && comment.value.startsWith('*');
  if (comment === undefined || !isDoc || file.text.slice(comment.end, position).trim() !== '') return '';
  return comment.value
    .replaceAll(/^\s*\* ?/gm, '')
    .replace(/^\*/, '')
    .trim();
}

/** Whether the first paragraph starts like a sentence and ends one. */
function isSentence(doc: string): boolean {
  const [first = ''] = doc.split(/\n\s*\n/);
  return /^[A-Z0-9`“"'(]/.test(first) && first.includes(' ') && /[.:!?]([\s)`”"']|$)/.test(first);
}

async function readPages(): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const paths: string[] = [];
  for await (const path of glob(['*.md', 'docs/**/*.md'], { cwd: repositoryRoot })) paths.push(path);
  return Promise.all(
    paths.sort().map(async (path) => ({ path, text: await readFile(join(repositoryRoot, path), 'utf8') })),
  );
}

function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)(?:\s"[^"]*")?\)/g)].map((match) => match[1] ?? '');
}

/** The anchors of a page's headings, as GitHub makes them. */
function headingsOf(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

function codeOf(text: string): string {
  return [...text.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map((match) => match[0]).join('\n');
}

/** Commands in code: `zoetrope serve`, `npx zoetrope doctor`, `node bin/zoetrope.js keys`. */
function commandsOf(text: string): readonly string[] {
  return [...codeOf(text).matchAll(/(?:^\s*|`|\$ |npx |bin\/)zoetrope(?:\.js)? ([a-z][a-z-]*)/gm)].map(
    (match) => match[1] ?? '',
  );
}

function assertNone(faults: readonly string[], remedy: string): void {
  assert.ok(faults.length === 0, `${remedy}:\n${faults.join('\n')}`);
}
