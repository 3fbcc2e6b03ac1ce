import { Download, Share2, Trash2, X } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { clipApi, clipFileUrl, type ClipJson } from '../api/clip-api.ts';
import { describeError } from '../api/problem.ts';
import { DeleteDialog } from '../kept/delete-dialog.tsx';
import { toast } from '../shell/toasts.tsx';
import { isOver } from './clip-follower.ts';
import { ShareClipDialog } from './share-clip-dialog.tsx';

async function save(clip: ClipJson): Promise<void> {
  try {
    const url = await clipFileUrl(clip);
    if (url === null) return;
    const link = document.createElement('a');
    link.href = url;
    link.download = `${clip.name}.mp4`;
    link.click();
  } catch (error) {
    toast(`It could not be downloaded: ${describeError(error)}`, { tone: 'bad' });
  }
}

/** What can be done with a clip: download, share, cancel, delete. */
export function ClipTools(props: {
  readonly clip: ClipJson;
  readonly onChanged: (clip: ClipJson) => void;
  readonly onRemoved: () => void;
}): ReactElement {
  const { clip, onChanged, onRemoved } = props;
  const { id, name } = clip;
  const [open, setOpen] = useState<'none' | 'share' | 'delete'>('none');
  const close = (): void => setOpen('none');
  const cancel = async (): Promise<void> => {
    try {
      await clipApi.remove(id);
      onChanged(await clipApi.read(id));
    } catch (error) {
      toast(`It could not be cancelled: ${describeError(error)}`, { tone: 'bad' });
    }
  };
  return (
    <>
      {clip.state === 'ready' && (
        <>
          <button
            type="button"
            className="icon-button"
            aria-label={`Download ${name}`}
            title="Download"
            onClick={() => void save(clip)}
          >
            <Download aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={`Share ${name}`}
            title="Share"
            onClick={() => setOpen('share')}
          >
            <Share2 aria-hidden />
          </button>
        </>
      )}
      {isOver(clip) ? (
        <button
          type="button"
          className="icon-button"
          aria-label={`Delete ${name}`}
          title="Delete"
          onClick={() => setOpen('delete')}
        >
          <Trash2 aria-hidden />
        </button>
      ) : (
        <button
          type="button"
          className="icon-button"
          aria-label={`Cancel ${name}`}
          title="Cancel"
          onClick={() => void cancel()}
        >
          <X aria-hidden />
        </button>
      )}
      {open === 'share' && <ShareClipDialog id={id} onClose={close} />}
      {open === 'delete' && (
        <DeleteDialog
          noun="clip"
          what={name}
          note="Its file goes, and links to it end. What it was cut from stays."
          remove={async () => {
            await clipApi.remove(id);
            onRemoved();
          }}
          onClose={close}
        />
      )}
    </>
  );
}
