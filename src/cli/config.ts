import { Command } from 'commander';
import { openStores, storeUrls, withoutPassword } from '../app/stores.ts';
import { textOfValue } from '../config/coerce.ts';
import type { ConfigOrigin, LoadedConfig } from '../config/load-config.ts';
import { SETTINGS } from '../config/settings.ts';
import { openContext } from './command-context.ts';
import { printJson, printLines } from './output.ts';

interface Shown {
  readonly setting: string;
  readonly env: string;
  /** Null: not set, and without a default. */
  readonly value: unknown;
  readonly from: ConfigOrigin['kind'] | 'unset';
  readonly source: string;
}

/** `zoetrope config [--check]`. */
export function configCommand(): Command {
  return new Command('config')
    .description('Show the effective configuration and where each value comes from. Secrets are masked.')
    .option('--check', 'only say whether it is valid')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  zoetrope config\n  ZOETROPE_PORT=80 zoetrope config --check\n  zoetrope config --json | jq .settings\n',
    )
    .action(async (options: { check?: boolean; json?: boolean }, command: Command) => {
      const loaded = await openContext(command);
      if (options.check === true) {
        await openStores(loaded.config, loaded); // Builds them, to know that every URL has its adapter, and touches nothing.
        if (options.json === true) printJson({ valid: true, file: loaded.file });
        else printLines([`The configuration is valid (${loaded.file ?? 'no file'}).`]);
        return;
      }
      const settings = effectiveSettings(loaded);
      if (options.json === true) printJson({ file: loaded.file, settings });
      else printLines(table(settings));
    });
}

function effectiveSettings({ config, origins }: LoadedConfig): readonly Shown[] {
  const derived = new Map<string, string>(
    Object.entries(storeUrls(config)).map(([name, url]) => [`stores.${name}`, url]),
  );
  return SETTINGS.map(({ path, env, isSecret }) => {
    const origin = origins.get(path);
    const set = path.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config);
    const value = set ?? derived.get(path) ?? null;
    const from = origin?.kind ?? (value === null ? 'unset' : 'default');
    return {
      setting: path,
      env,
      value: isSecret && value !== null ? '***' : masked(value),
      from,
      source: origin?.name ?? '',
    };
  });
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return withoutPassword(value);
  if (Array.isArray(value)) return value.map(masked);
  return value;
}

function table(settings: readonly Shown[]): readonly string[] {
  const values = settings.map(({ value }) => (value === null ? '-' : textOfValue(value)));
  const nameWidth = Math.max(...settings.map(({ setting }) => setting.length));
  const valueWidth = Math.min(40, Math.max(...values.map((value) => value.length)));
  return settings.map(({ setting, from, source }, index) => {
    const value = (values[index] ?? '').padEnd(valueWidth);
    return `${setting.padEnd(nameWidth)}  ${value}  ${from}${source === '' ? '' : ` ${source}`}`;
  });
}
