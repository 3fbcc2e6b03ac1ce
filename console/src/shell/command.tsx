import { Check, Copy } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { toast } from './toasts.tsx';

/** A command line to read and to copy; continued lines are copied as one. */
export function Command({ text }: { readonly text: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    const whole = text.replaceAll('\\\n  ', '');
    // Only a page from https: or from this machine has a clipboard.
    const done = 'clipboard' in navigator ? navigator.clipboard.writeText(whole) : Promise.reject(new Error('none'));
    done.then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1500);
      },
      () => toast('This page may not use the clipboard: select the line and copy it by hand.'),
    );
  };
  return (
    <div className="command">
      <pre tabIndex={0}>{text}</pre>
      <button
        type="button"
        className="icon-button"
        aria-label={copied ? 'Copied' : 'Copy the command'}
        title={copied ? 'Copied' : 'Copy'}
        onClick={copy}
      >
        {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      </button>
    </div>
  );
}
