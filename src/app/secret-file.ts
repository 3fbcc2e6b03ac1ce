import { readFileSync } from 'node:fs';
import { messageOf, ZoetropeError } from '../base/errors.ts';

/** The secret in a file, as container runtimes mount it, without the line's end. `variable` named the file. @throws invalid_configuration */
export function readSecretFile(path: string, variable: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ZoetropeError('invalid_configuration', `${variable} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  if (text !== '') return text;
  throw new ZoetropeError('invalid_configuration', `${variable} names a file without a secret: ${path}.`);
}
