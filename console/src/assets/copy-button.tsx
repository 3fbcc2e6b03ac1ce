import { Check, Copy } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { toast } from '../shell/toasts.tsx';
import '../styles/address.css';

/** Copies a text, and says so on itself for a moment. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    // Only a page from https: or from this machine has a clipboard.
    const done = 'clipboard' in navigator ? navigator.clipboard.writeText(text) : Promise.reject(new Error('none'));
    done.then(
      () => setCopied(true),
      () => toast(`This page may not use the clipboard. ${what}: ${text}`, { forMs: 15_000 }),
    );
  };
  return (
    <button
      type="button"
      className="icon-button copy-button"
      data-copied={copied}
      aria-label={copied ? `${what} copied` : `Copy ${what}`}
      title={copied ? 'Copied' : `Copy ${what}`}
      onClick={copy}
    >
      {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
    </button>
  );
}

/** An address that can be read, selected and copied. */
export function AddressRow(props: {
  readonly label: string;
  readonly url: string;
  /** What it is called aloud; left out: the label's address. */
  readonly what?: string;
}): ReactElement {
  const { label, url, what = `${label} address` } = props;
  return (
    <div className="address-row">
      <span className="address-label">{label}</span>
      <input readOnly value={url} aria-label={what} onFocus={(event) => event.target.select()} />
      <CopyButton text={url} what={what} />
    </div>
  );
}
