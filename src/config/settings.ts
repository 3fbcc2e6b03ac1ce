import { Check } from 'typebox/value';
import { TEXT_FORMATS } from './formats.ts';
import { ConfigSchema } from './schema.ts';

/** What a setting's value is made of. */
export type SettingType = 'integer' | 'number' | 'boolean' | 'string' | 'list';

/** One setting: a leaf of the configuration schema. */
export interface Setting {
  /** Its place, e.g. `http.port`. */
  readonly path: string;
  /** Its environment name, e.g. `ZOETROPE_PORT`. */
  readonly env: string;
  readonly description: string;
  readonly type: SettingType;
  /** The only texts that it (or each item of a list) may be; null: anything else that is allowed. */
  readonly choices: readonly string[] | null;
  /** Undefined: it may be left out. */
  readonly defaultValue: unknown;
  /** Nobody is shown its value. */
  readonly isSecret: boolean;
  /** What values it takes, in words. */
  readonly allowed: string;
  isValid(value: unknown): boolean;
}

/** The part of JSON Schema that the configuration is written in. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly env?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly isSecret?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
}

/** Every setting, in the schema's order. */
export const SETTINGS: readonly Setting[] = leavesOf(ConfigSchema, '');

/** The groups that settings lie in, e.g. `frames` and `frames.overlay`. */
export const SETTING_GROUPS: ReadonlySet<string> = new Set(
  SETTINGS.flatMap(({ path }) => {
    const parts = path.split('.');
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
  }),
);

const byPath = new Map(SETTINGS.map((setting) => [setting.path, setting]));

/** The setting at a place such as `http.port`; undefined when there is none. */
export function settingAt(path: string): Setting | undefined {
  return byPath.get(path);
}

function leavesOf(node: Node, path: string): readonly Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const childPath = path === '' ? name : `${path}.${name}`;
    return child.properties === undefined ? [toSetting(child, childPath)] : leavesOf(child, childPath);
  });
}

function toSetting(node: Node, path: string): Setting {
  const type = typeOf(node);
  const text = type === 'list' ? (node.items ?? {}) : node;
  const format = text.format === undefined ? undefined : TEXT_FORMATS[text.format];
  const choices = text.anyOf?.map((choice) => String(choice.const)) ?? null;
  return {
    path,
    env: node.env ?? '',
    description: node.description ?? '',
    type,
    choices,
    defaultValue: node.default,
    isSecret: node.isSecret === true,
    allowed: allowedWords(node, type, choices, format?.allowed),
    isValid: (value) =>
      Check(node as Parameters<typeof Check>[0], value) &&
      (format === undefined ||
        (Array.isArray(value) ? value : [value]).every((item) => typeof item === 'string' && format.isValid(item))),
  };
}

function typeOf({ type }: Node): SettingType {
  if (type === 'integer' || type === 'number' || type === 'boolean') return type;
  return type === 'array' ? 'list' : 'string';
}

function allowedWords(
  node: Node,
  type: SettingType,
  choices: readonly string[] | null,
  format: string | undefined,
): string {
  const one = choices === null ? (format ?? 'text') : `one of ${choices.join(', ')}`;
  switch (type) {
    case 'list':
      return `${node.minItems === undefined ? 'a' : 'a non-empty'} comma-separated list${one === 'text' ? '' : `; each ${one}`}`;
    case 'integer':
      return `an integer${boundsWords(node)}`;
    case 'number':
      return `a number${boundsWords(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return one;
  }
}

function boundsWords({ minimum, exclusiveMinimum, maximum }: Node): string {
  if (exclusiveMinimum !== undefined) {
    return ` above ${exclusiveMinimum}${maximum === undefined ? '' : `, at most ${maximum}`}`;
  }
  if (minimum === undefined) return maximum === undefined ? '' : ` up to ${maximum}`;
  return maximum === undefined ? ` not below ${minimum}` : ` from ${minimum} to ${maximum}`;
}
