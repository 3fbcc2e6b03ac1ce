import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { messageOf, systemCodeOf, ZoetropeError } from '../base/errors.ts';
import { coerceText } from './coerce.ts';
import { nearestName } from './nearest.ts';
import type { Config } from './schema.ts';
import { SETTINGS, SETTING_GROUPS, settingAt, type Setting } from './settings.ts';

/** The file that is read when none is named; it need not be there. */
export const DEFAULT_CONFIG_FILE = 'zoetrope.yaml';

/** The environment variable that names the file; the flag `--config` wins over it. */
export const CONFIG_FILE_VARIABLE = 'ZOETROPE_CONFIG';

/** A setting given on the command line. */
export interface FlagValue {
  /** As typed, e.g. `--data-dir`: for messages. */
  readonly flag: string;
  /** The setting, e.g. `dataDir`. */
  readonly path: string;
  readonly value: unknown;
}

/** Where configuration may come from, weakest first: the file, the environment, flags. */
export interface ConfigInput {
  /** Its absence is an error; without it {@link CONFIG_FILE_VARIABLE}, else {@link DEFAULT_CONFIG_FILE} if it is there. */
  readonly file?: string | undefined;
  /** Names that start with `ZOETROPE_` are looked at; an empty value counts as not set. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly FlagValue[];
}

/** Where a setting's value came from. */
export interface ConfigOrigin {
  readonly kind: 'default' | 'file' | 'environment' | 'flag';
  /** The file's path, the variable or the flag; empty for a default. */
  readonly name: string;
}

/** The configuration, frozen, and where each setting came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** By the setting's path; settings without a value are left out. */
  readonly origins: ReadonlyMap<string, ConfigOrigin>;
  /** The file that was read; null when there was none. */
  readonly file: string | null;
}

/** One thing wrong with the configuration. */
export interface ConfigFault {
  /** `ZOETROPE_PORT`, `zoetrope.yaml: http.port`, `--data-dir`. */
  readonly where: string;
  readonly got: string;
  /** What is allowed there, or the name that was probably meant. */
  readonly remedy: string;
}

interface Given {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: ConfigOrigin;
  readonly where: string;
}

/**
 * Reads the configuration: defaults < file < environment < flags.
 * @throws invalid_configuration that names every fault at once: where it is, the value got, and what is allowed.
 */
export async function loadConfig(input: ConfigInput): Promise<LoadedConfig> {
  const faults: ConfigFault[] = [];
  const { file, given: fromFile } = await readConfigFile(input, faults);
  const given = [...fromFile, ...readEnvironment(input.environment, faults), ...readFlags(input.flags ?? [], faults)];
  const root: Record<string, unknown> = {};
  const origins = new Map<string, ConfigOrigin>();
  for (const setting of SETTINGS) {
    if (setting.defaultValue === undefined) continue;
    setAt(root, setting.path, structuredClone(setting.defaultValue));
    origins.set(setting.path, { kind: 'default', name: '' });
  }
  for (const { setting, value, origin, where } of given) {
    const coerced = coerceText(setting, value);
    if (setting.isValid(coerced)) {
      setAt(root, setting.path, coerced);
      origins.set(setting.path, origin);
    } else {
      faults.push({ where, got: setting.isSecret ? 'a secret' : shown(value), remedy: `allowed: ${setting.allowed}` });
    }
  }
  if (faults.length > 0) throw faulty(faults);
  return { config: deepFreeze(root) as unknown as Config, origins, file };
}

async function readConfigFile(
  input: ConfigInput,
  faults: ConfigFault[],
): Promise<{ readonly file: string | null; readonly given: readonly Given[] }> {
  const variable = input.environment[CONFIG_FILE_VARIABLE];
  const named = input.file ?? (variable === undefined || variable === '' ? undefined : variable);
  const file = named ?? DEFAULT_CONFIG_FILE;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (named === undefined && systemCodeOf(error) === 'ENOENT') return { file: null, given: [] };
    const source = input.file === undefined ? CONFIG_FILE_VARIABLE : '--config';
    faults.push({ where: source, got: shown(file), remedy: `the file must be readable (${messageOf(error)})` });
    return { file: null, given: [] };
  }
  const document = parseDocument(text, { prettyErrors: true });
  for (const error of document.errors) {
    faults.push({ where: file, got: 'text that is not YAML', remedy: error.message.split('\n')[0] ?? '' });
  }
  const given: Given[] = [];
  if (document.errors.length === 0) collect(document.toJS() ?? {}, '', file, given, faults);
  return { file, given };
}

/** Walks what the file says, finding settings and everything that is none. */
function collect(value: unknown, path: string, file: string, given: Given[], faults: ConfigFault[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const where = path === '' ? file : `${file}: ${path}`;
    faults.push({ where, got: shown(value), remedy: 'allowed: a group of settings (name: value)' });
    return;
  }
  for (const [name, child] of Object.entries(value)) {
    const childPath = path === '' ? name : `${path}.${name}`;
    const where = `${file}: ${childPath}`;
    const setting = settingAt(childPath);
    if (child === null && (setting !== undefined || SETTING_GROUPS.has(childPath))) continue; // `name:` without a value sets nothing.
    if (setting !== undefined) given.push({ setting, value: child, origin: { kind: 'file', name: file }, where });
    else if (SETTING_GROUPS.has(childPath)) collect(child, childPath, file, given, faults);
    else faults.push(unknownName(where, childPath, [...SETTINGS.map((known) => known.path), ...SETTING_GROUPS]));
  }
}

function readEnvironment(environment: ConfigInput['environment'], faults: ConfigFault[]): readonly Given[] {
  const known = new Map(SETTINGS.map((setting) => [setting.env, setting]));
  const given: Given[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('ZOETROPE_') || name === CONFIG_FILE_VARIABLE || value === undefined || value === '') continue;
    const setting = known.get(name);
    if (setting === undefined) faults.push(unknownName(name, name, known.keys()));
    else given.push({ setting, value, origin: { kind: 'environment', name }, where: name });
  }
  return given;
}

function readFlags(flags: readonly FlagValue[], faults: ConfigFault[]): readonly Given[] {
  const given: Given[] = [];
  for (const { flag, path, value } of flags) {
    if (value === undefined) continue;
    const setting = settingAt(path);
    if (setting === undefined)
      faults.push(
        unknownName(
          flag,
          path,
          SETTINGS.map((known) => known.path),
        ),
      );
    else given.push({ setting, value, origin: { kind: 'flag', name: flag }, where: flag });
  }
  return given;
}

function unknownName(where: string, name: string, known: Iterable<string>): ConfigFault {
  const nearest = nearestName(name, known);
  return {
    where,
    got: 'a name that is no setting',
    remedy: nearest === null ? '`zoetrope config` lists the settings' : `did you mean ${nearest}?`,
  };
}

function faulty(faults: readonly ConfigFault[]): ZoetropeError {
  const lines = faults.map((fault) => `${fault.where}: got ${fault.got}; ${fault.remedy}`);
  return new ZoetropeError(
    'invalid_configuration',
    lines.length === 1
      ? `The configuration is not valid. ${lines[0]}`
      : `The configuration has ${lines.length} faults:\n${lines.map((line) => `  - ${line}`).join('\n')}`,
    { details: { faults } },
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function setAt(root: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.');
  const leaf = parts.pop() ?? path;
  let node = root;
  for (const part of parts) node = (node[part] ??= {}) as Record<string, unknown>;
  node[leaf] = value;
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) deepFreeze(child);
  return Object.freeze(value);
}
