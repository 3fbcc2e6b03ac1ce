import { Type } from 'typebox';

/** A setting in seconds: the description gets its unit. */
export const seconds = (
  description: string,
  value: number,
  minimum = 0,
  maximum = 31_536_000,
): ReturnType<typeof Type.Number> =>
  Type.Number({ description: `${description} Seconds.`, default: value, minimum, maximum });
