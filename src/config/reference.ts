import { textOfValue } from './coerce.ts';
import { CONFIG_FILE_VARIABLE, DEFAULT_CONFIG_FILE } from './load-config.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** `docs/reference/configuration.md`, from the schema. */
export function renderReference(): string {
  const groups = Map.groupBy(SETTINGS, ({ path }) => path.split('.').slice(0, -1).join('.'));
  return [
    '# Configuration',
    '',
    '<!-- Generated from src/config/schema.ts by scripts/generate-reference.ts. Edits are lost. -->',
    '',
    `Defaults, then \`${DEFAULT_CONFIG_FILE}\` (or the file of \`--config\` or \`${CONFIG_FILE_VARIABLE}\`), then the environment, then flags: the later wins.`,
    'Names that are no setting are refused, and all faults are reported together, before anything starts.',
    'An environment variable without a value counts as not set. Relative paths start at the working directory.',
    '`zoetrope config` shows every effective value and where it comes from.',
    '',
    'In the file, a setting stands in its group:',
    '',
    '```yaml',
    'http:',
    '  port: 8080',
    'frames:',
    '  overlay:',
    '    enabled: true',
    'roles: [api, delivery]',
    '```',
    '',
    ...[...groups].flatMap(([group, settings]) => [
      `## ${group === '' ? 'Top level' : `\`${group}\``}`,
      '',
      '| setting | environment | default | allowed | |',
      '| --- | --- | --- | --- | --- |',
      ...settings.map(row),
      '',
    ]),
  ].join('\n');
}

/** `.env.example`, from the schema: every setting, commented out, at its default. */
export function renderEnvironmentExample(): string {
  return [
    '# Settings of Zoetrope as environment variables, at their defaults. Generated from src/config/schema.ts; edits are lost.',
    '# Zoetrope itself does not read this file: hand it to `node --env-file`, to systemd or to your container runtime.',
    '',
    `# The configuration file. Default: ${DEFAULT_CONFIG_FILE}, if it is there.`,
    `#${CONFIG_FILE_VARIABLE}=`,
    '',
    ...SETTINGS.flatMap((setting) => [
      `# ${setting.description}`,
      `# Allowed: ${setting.allowed}.`,
      `#${setting.env}=${textOfValue(setting.defaultValue)}`,
      '',
    ]),
  ].join('\n');
}

function row(setting: Setting): string {
  const text = textOfValue(setting.defaultValue);
  const cells = [
    `\`${setting.path}\``,
    `\`${setting.env}\``,
    text === '' ? '' : `\`${text}\``,
    setting.allowed,
    setting.description,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
