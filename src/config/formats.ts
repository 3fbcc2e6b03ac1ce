import { isIP } from 'node:net';

/** A named form of text that a setting may ask for with `format`. */
export interface TextFormat {
  /** For "allowed: …". */
  readonly allowed: string;
  isValid(text: string): boolean;
}

/** The forms that the configuration schema uses. */
export const TEXT_FORMATS: Readonly<Record<string, TextFormat>> = {
  'time-zone': { allowed: 'an IANA time zone such as Europe/Berlin or UTC', isValid: isTimeZone },
  'http-url': {
    allowed: 'an http: or https: URL such as https://video.example.org',
    isValid: (text) => httpUrl(text) !== null,
  },
  origin: {
    allowed: 'an origin such as https://app.example.org (without a path), or *',
    isValid: (text) => text === '*' || httpUrl(text)?.origin === text,
  },
  title: {
    allowed: 'a name of 1–200 characters without control characters',
    isValid: (text) => /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(text),
  },
  cidr: {
    allowed: 'a network such as 10.0.0.0/8 or fd00::/8',
    isValid: isNetwork,
  },
};

/** Whether this machine's time zone database knows the name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false; // Intl throws a RangeError for an unknown name: that is the answer.
  }
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function httpUrl(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
}
