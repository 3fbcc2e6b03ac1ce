import { Command } from 'commander';
import { storeUrls, withoutPassword } from '../app/stores.ts';
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
    .description('Show the effective configuration and where each value comes from. Passwords in URLs are masked.')
    .option('--check', 'only say whether it is valid')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  zoetrope config\n  ZOETROPE_PORT=80 zoetrope config --check\n  zoetrope config --json | jq .settings\n',
    )
    .action(async (options: { check?: boolean; json?: boolean }, command: Command) => {
      const loaded = await openContext(command);
      const stores = storeUrls(loaded.config);
      if (options.check === true) {
        if (options.json === true) printJson({ valid: true, file: loaded.file });
        else printLines([`The configuration is valid (${loaded.file ?? 'no file'}).`]);
        return;
      }
      const settings = effectiveSettings(loaded);
      if (options.json === true) printJson({ file: loaded.file, stores: masked(stores), settings });
      else printLines(table(settings));
    });
}

function effectiveSettings({ config, origins }: LoadedConfig): readonly Shown[] {
  return SETTINGS.map(({ path, env }) => {
    const origin = origins.get(path);
    const value = path.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config);
    return {
      setting: path,
      env,
      value: masked(value ?? null),
      from: origin?.kind ?? 'unset',
      source: origin?.name ?? '',
    };
  });
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return withoutPassword(value);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, masked(child)]));
  }
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
