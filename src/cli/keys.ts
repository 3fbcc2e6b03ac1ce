import { Command } from 'commander';
import { createKey } from '../access/api-keys.ts';
import { ALL_SCOPES } from '../access/permission.ts';
import { formatRfc3339 } from '../base/time.ts';
import type { ApiKey, Scope } from '../catalog/catalog.ts';
import { openContext, withStores } from './command-context.ts';
import { printJson, printLines } from './output.ts';

interface CreateOptions {
  readonly name: string;
  readonly scopes: string;
  readonly tenant?: string;
  readonly stream?: string;
  readonly json?: boolean;
}

/** `zoetrope keys create|list|revoke`. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('Create, list and revoke API keys. A running server notices.')
    .addHelpText(
      'after',
      `
Examples:
  zoetrope keys create --name console --scopes admin
  zoetrope keys create --name yard-cameras --tenant acme --scopes ingest
  zoetrope keys create --name studio-encoder --scopes ingest --stream str_0123456789
  zoetrope keys list --json
  zoetrope keys revoke key_0123456789
`,
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

function createCommand(): Command {
  return new Command('create')
    .description('Create a key. Its secret is printed this once and kept nowhere.')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scopes <list>', `comma-separated: ${ALL_SCOPES.join(', ')}`)
    .option('--tenant <tenant>', 'whose streams it may touch; an admin key without one may touch all')
    .option('--stream <id>', 'the only stream that it may send to; its tenant is the stream’s, its scope ingest')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  zoetrope keys create --name console --scopes admin\n')
    .action(async (options: CreateOptions, command: Command) => {
      const context = await openContext(command);
      const scopes = options.scopes.split(',').map((scope) => scope.trim()) as Scope[]; // createKey refuses what is none.
      const { key, secret } = await withStores(context, ['catalog'], ({ catalog }) =>
        createKey(
          { catalog, ids: context.ids },
          {
            name: options.name,
            tenant: options.tenant ?? null,
            scopes,
            ...(options.stream === undefined ? {} : { streamId: options.stream }),
          },
        ),
      );
      if (options.json === true) printJson({ ...shown(key), secret });
      else printLines([`${key.id}  ${key.name}`, secret, 'Keep the second line: it is not shown again.']);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('List all keys, revoked ones included.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  zoetrope keys list\n')
    .action(async (options: { json?: boolean }, command: Command) => {
      const context = await openContext(command);
      const keys = await withStores(context, ['catalog'], ({ catalog }) => catalog.listKeys());
      if (options.json === true) return printJson(keys.map(shown));
      printLines(keys.length === 0 ? ['There are no keys.'] : keys.map(lineOf));
    });
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('Revoke a key: it opens nothing any more.')
    .argument('<id>', 'the id of the key, as in the list')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  zoetrope keys revoke key_0123456789\n')
    .action(async (id: string, options: { json?: boolean }, command: Command) => {
      const context = await openContext(command);
      const key = await withStores(context, ['catalog'], ({ catalog }) => catalog.revokeKey(id));
      if (options.json === true) printJson(shown(key));
      else printLines([lineOf(key)]);
    });
}

function shown({ id, name, tenant, scopes, streamId, createdAtMs, revokedAtMs }: ApiKey): object {
  const revokedAt = revokedAtMs === null ? null : formatRfc3339(revokedAtMs);
  return { id, name, tenant, scopes, streamId, createdAt: formatRfc3339(createdAtMs), revokedAt };
}

function lineOf({ id, name, tenant, scopes, streamId, createdAtMs, revokedAtMs }: ApiKey): string {
  const state = revokedAtMs === null ? '' : `  revoked ${formatRfc3339(revokedAtMs)}`;
  return `${id}  ${name}  ${tenant ?? 'all tenants'}  ${scopes.join(',')}${streamId === null ? '' : ` to ${streamId}`}  ${formatRfc3339(createdAtMs)}${state}`;
}
