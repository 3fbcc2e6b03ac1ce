import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { renderEnvironmentExample, renderReference } from './reference.ts';

const remedy = 'is stale: run `node scripts/generate-reference.ts`';

it('docs/reference/configuration.md says what the schema says', async () => {
  const text = await readFile(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8');
  assert.equal(text, renderReference(), `docs/reference/configuration.md ${remedy}`);
});

it('.env.example says what the schema says', async () => {
  const text = await readFile(new URL('../../.env.example', import.meta.url), 'utf8');
  assert.equal(text, renderEnvironmentExample(), `.env.example ${remedy}`);
});
