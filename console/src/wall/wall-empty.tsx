import type { ReactElement } from 'react';
import { Command } from '../shell/command.tsx';

/** The wall before the first camera: how to get one. */
export function WallEmpty({ onAdd }: { readonly onAdd: () => void }): ReactElement {
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
          <h2>Or let an encoder push to it</h2>
          <p className="muted">Make a stream, and get the line for ffmpeg:</p>
          <button type="button" className="button" onClick={onAdd}>
            Add a source
          </button>
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
