// Writes the pages that are made from the configuration schema: `node scripts/generate-reference.ts`.
import { mkdir, writeFile } from 'node:fs/promises';
import { renderEnvironmentExample, renderReference } from '../src/config/reference.ts';

const root = new URL('../', import.meta.url);
await mkdir(new URL('docs/reference/', root), { recursive: true });
await writeFile(new URL('docs/reference/configuration.md', root), renderReference());
await writeFile(new URL('.env.example', root), renderEnvironmentExample());
