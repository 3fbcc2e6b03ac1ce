import type { AudioSpec, Output, SubtitlesSpec } from '../timeline/asset.ts';

const LANGUAGES = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });

/** What people see of a track: its title, its language in English, or the output's name. */
export function trackName(spec: AudioSpec | SubtitlesSpec, output: Pick<Output, 'name'>): string {
  return spec.title ?? languageName(spec.language) ?? output.name;
}

/** A language in English, `German` for `deu`; undefined where it is none. */
export function languageName(language: string | null): string | undefined {
  const tag = languageTag(language);
  return tag === null ? undefined : LANGUAGES.of(tag);
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
