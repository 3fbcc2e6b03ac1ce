import { Download } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { clipApi, type ClipJson } from '../api/clip-api.ts';
import { describeError } from '../api/problem.ts';
import { bytes } from '../assets/quantities.ts';
import { Link } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';
import { duration } from '../time/format.ts';
import { isOver } from './clip-follower.ts';
import { ClipProgress, useClip, useClipFile } from './clip-progress.tsx';
import { ShareClipDialog } from './share-clip-dialog.tsx';

/** A clip that was just asked for: how far it is, and once it is ready, itself. */
export function ClipResult({ clip, onClose }: { readonly clip: ClipJson; readonly onClose: () => void }): ReactElement {
  const now = useClip(clip);
  const file = useClipFile(now);
  const [isSharing, setSharing] = useState(false);
  const isReady = now.state === 'ready';
  const cancel = async (): Promise<void> => {
    try {
      await clipApi.remove(clip.id);
      onClose();
    } catch (error) {
      toast(`It could not be cancelled: ${describeError(error)}`, { tone: 'bad' });
    }
  };
  return (
    <>
      <div className="clip-screen" data-ready={isReady}>
        {file.url === null ? (
          <ClipProgress clip={now} />
        ) : (
          <video src={file.url} controls autoPlay muted playsInline aria-label={now.name} />
        )}
      </div>
      {file.problem !== '' && (
        <p className="field-error" role="alert">
          {file.problem}
        </p>
      )}
      <p className="clip-facts muted" role="status">
        {isReady
          ? `Ready: ${duration((now.durationSeconds ?? 0) * 1000)}, ${bytes(now.sizeBytes ?? 0)}, ${now.encodedPictures ?? 0} of ${(now.encodedPictures ?? 0) + (now.copiedPictures ?? 0)} pictures encoded again.`
          : isOver(now)
            ? ''
            : 'You can close this: it is made all the same, and a message tells when it is ready.'}
      </p>
      <div className="dialog-actions">
        {!isOver(now) && (
          <button type="button" className="button" data-kind="danger" onClick={() => void cancel()}>
            Cancel it
          </button>
        )}
        <Link className="button" href={`/clips/${encodeURIComponent(clip.id)}`} onClick={onClose}>
          Its page
        </Link>
        {isReady && (
          <button type="button" className="button" onClick={() => setSharing(true)}>
            Share
          </button>
        )}
        {file.url === null ? (
          <button type="button" className="button" data-kind="primary" disabled>
            <Download aria-hidden /> Download
          </button>
        ) : (
          <a className="button" data-kind="primary" href={file.url} download={`${now.name}.mp4`}>
            <Download aria-hidden /> Download
          </a>
        )}
      </div>
      {isSharing && <ShareClipDialog id={clip.id} onClose={() => setSharing(false)} />}
    </>
  );
}
