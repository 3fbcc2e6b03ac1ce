import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { ZoetropeError } from '../../base/errors.ts';

/** How many faults of one request are told. */
const MAX_FAULTS = 10;
const MAX_VALUE_LENGTH = 80;

interface Described {
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

const PART_NAMES: Readonly<Record<string, string>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'headers',
};

const strict = createAjv(false);
const coercing = createAjv(true);

/** Compiles a route's schemas. A JSON body is taken as it is; texts in path, query and headers become numbers and booleans where those are asked for. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validate = (httpPart === 'body' ? strict : coercing).compile(schema);
  return (data: unknown) =>
    validate(data) ? { value: data } : { error: validationError(validate.errors ?? [], httpPart ?? 'body') };
};

/** One `invalid_argument` that tells every fault: the field, what it must be, and the value got. `details.errors` has them singly. */
export function validationError(errors: readonly ErrorObject[], part: string): ZoetropeError {
  const name = PART_NAMES[part] ?? part;
  const seen = new Map<string, { readonly field: string; readonly detail: string }>();
  for (const error of relevant(errors)) {
    const fault = faultOf(error, name);
    seen.set(`${fault.field} ${fault.detail}`, fault);
  }
  const faults = [...seen.values()];
  const shown = faults.slice(0, MAX_FAULTS);
  const more = faults.length > shown.length ? ` And ${faults.length - shown.length} more.` : '';
  const detail = shown.map((fault) => `${fault.field} ${fault.detail}`).join(' ');
  return new ZoetropeError('invalid_argument', `${detail}${more}`, { details: { errors: shown } });
}

function createAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, useDefaults: true, coerceTypes, strict: false });
  addFormats.default(ajv);
  return ajv;
}

/** Leaves out what only says that other forms were not met either: of alternatives, the one that the value comes closest to tells its faults. */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  for (const union of errors.filter((error) => error.keyword === 'anyOf')) {
    const branches = errors.filter((error) => error !== union && error.schemaPath.startsWith(`${union.schemaPath}/`));
    const isChoice = branches.every((error) => error.instancePath === union.instancePath && error.keyword === 'const');
    const isOtherForm = (error: ErrorObject): boolean =>
      error.instancePath === union.instancePath && (error.keyword === 'type' || error.keyword === 'const');
    if (isChoice) {
      for (const error of branches) dropped.add(error);
      continue;
    }
    const nonNull = branches.filter((error) => !(isOtherForm(error) && error.params['type'] === 'null'));
    const telling = nonNull.filter((error) => !isOtherForm(error));
    const kept = new Set(telling.length > 0 ? telling : nonNull);
    dropped.add(union);
    for (const error of branches) if (!kept.has(error)) dropped.add(error);
  }
  return errors.filter((error) => !dropped.has(error));
}

function faultOf(error: ErrorObject, part: string): { readonly field: string; readonly detail: string } {
  const { params } = error;
  switch (error.keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      return { field: fieldOf(error, part, missing), detail: `is missing. ${remedyOf(error, missing)}` };
    }
    case 'additionalProperties': {
      const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {}).join(', ');
      return {
        field: fieldOf(error, part, String(params['additionalProperty'])),
        detail: `is not known here. Known: ${known === '' ? 'none' : known}.`,
      };
    }
    default:
      return { field: fieldOf(error, part), detail: `${demandOf(error)}. Got ${shorten(error.data)}.` };
  }
}

function demandOf(error: ErrorObject): string {
  const { params } = error;
  const description: unknown = error.parentSchema?.['description'];
  switch (error.keyword) {
    case 'format':
      return params['format'] === 'date-time'
        ? 'must be RFC 3339 with a time zone, like 2026-11-20T10:30:00.250Z'
        : `must be a ${String(params['format'])}`;
    case 'pattern':
      return typeof description === 'string'
        ? `must have ${description.replace(/\.$/, '')}`
        : `must match ${String(params['pattern'])}`;
    case 'anyOf': {
      const choices = (error.schema as readonly { readonly const?: unknown }[]).map(({ const: value }) =>
        JSON.stringify(value),
      );
      return `must be one of ${choices.join(', ')}`;
    }
    case 'const':
      return `must be ${JSON.stringify(error.schema)}`;
    case 'type':
      return `must be ${String(params['type']).split(',').map(typeWords).join(' or ')}`;
    case 'minLength':
    case 'maxLength':
      return `must have ${error.keyword === 'minLength' ? 'at least' : 'at most'} ${String(params['limit'])} characters`;
    case 'minItems':
    case 'maxItems':
      return `must have ${error.keyword === 'minItems' ? 'at least' : 'at most'} ${String(params['limit'])} items`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `must be ${String(params['comparison'])} ${String(params['limit'])}`;
    default:
      return error.message ?? `breaks the rule ${error.keyword}`;
  }
}

/** What to put where something is missing, as far as the schema says. */
function remedyOf(error: ErrorObject, property: string): string {
  const properties = error.parentSchema?.['properties'] as Readonly<Record<string, Described>> | undefined;
  const { description = '', examples = [] } = properties?.[property] ?? {};
  const example = examples.length === 0 ? '' : ` Example: ${String(examples[0])}.`;
  return description === '' && example === '' ? 'Add it.' : `Add it: ${description}${example}`;
}

function typeWords(type: string): string {
  switch (type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'object':
    case 'array':
    case 'integer':
      return `an ${type}`;
    case 'number':
      return 'a number';
    default:
      return type;
  }
}

/** Where it is, as a person would write it: `body: [3].clientId`. */
function fieldOf(error: ErrorObject, part: string, property?: string): string {
  const steps = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (property !== undefined) steps.push(property);
  const path = steps
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
  return path === '' ? `The ${part}` : `${part}: ${path.slice(0, 120)}`;
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}
