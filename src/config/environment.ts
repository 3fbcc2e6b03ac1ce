/** This process's environment variables: the only place that reads them. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
