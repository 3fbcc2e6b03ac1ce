import type { AudioSpec, Output, SubtitlesSpec } from '../timeline/asset.ts';

const LANGUAGES = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });

/** What people see of a track: its title, its language in English, or the output's name. */
export function trackName(spec: AudioSpec | SubtitlesSpec, output: Pick<Output, 'name'>): string {
  const language = languageTag(spec.language);
  return spec.title ?? (language === null ? undefined : LANGUAGES.of(language)) ?? output.name;
}

/** The shortest tag of a language (BCP 47), `de` for `deu`; null for what a file calls its language and nobody knows. */
export function languageTag(language: string | null): string | null {
  if (language === null) return null;
  try {
    return Intl.getCanonicalLocales(language)[0] ?? null;
  } catch {
    // Files say all sorts of things.
    return null;
  }
}
