import { Check, Copy } from 'lucide-react';
import { useState, type ReactElement } from 'react';

function Command({ text }: { readonly text: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text.replaceAll('\\\n  ', ''));
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div className="command">
      <pre tabIndex={0}>{text}</pre>
      <button type="button" className="icon-button" aria-label={copied ? 'Copied' : 'Copy'} onClick={() => void copy()}>
        {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      </button>
    </div>
  );
}

/** The wall before the first camera: how to get one. */
export function WallEmpty(): ReactElement {
  const url = `${location.origin}/v1/devices/demo/gate/frames`;
  return (
    <div className="wall-empty">
      <h1>No cameras yet</h1>
      <p className="muted">A camera appears here with its first frame. Nothing needs to be set up before.</p>
      <ol>
        <li>
          <h2>Post a JPEG</h2>
          <p className="muted">The stream is made by the first one, and this page shows it at once.</p>
          <Command
            text={`curl -X POST ${url} \\\n  -H 'Content-Type: image/jpeg' \\\n  -H "X-Captured-At: $(date -u +%FT%TZ)" \\\n  --data-binary @frame.jpg`}
          />
        </li>
        <li>
          <h2>Or look at four that are simulated</h2>
          <p className="muted">In the server’s directory, instead of this server:</p>
          <Command text="npm run demo" />
        </li>
      </ol>
      <p className="muted">
        Everything the console does, the API does: <a href="/docs">its documentation</a>.
      </p>
    </div>
  );
}
