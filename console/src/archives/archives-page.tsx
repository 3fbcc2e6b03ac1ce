import { Play, Share2, Trash2 } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { api, type ArchiveJson } from '../api/client.ts';
import { useStore } from '../api/store.ts';
import { expiryText } from '../kept/expiry.ts';
import { DeleteDialog, KEPT_NOTE } from '../kept/delete-dialog.tsx';
import { KeptItems, KeptList, spanText } from '../kept/kept-list.tsx';
import { KeptRow } from '../kept/kept-row.tsx';
import { ShareKeptDialog } from '../kept/share-kept-dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { duration } from '../time/format.ts';
import { useNow } from '../time/now.ts';

function Row(props: {
  readonly archive: ArchiveJson;
  readonly name: string | undefined;
  readonly onShare: () => void;
  readonly onDelete: () => void;
}): ReactElement {
  const { archive, name, onShare, onDelete } = props;
  const shownZone = useStore(zone);
  const now = useNow();
  const [fromMs, toMs] = [Date.parse(archive.from), Date.parse(archive.to)];
  const expiry = expiryText(archive.expiresAt, now);
  const href = `/archives/${encodeURIComponent(archive.id)}`;
  const of = name ?? archive.streamId;
  return (
    <KeptRow
      href={href}
      streamId={archive.streamId}
      pictureMs={fromMs}
      title={name ?? '…'}
      facts={[
        spanText(fromMs, toMs, shownZone),
        duration(toMs - fromMs),
        <span key="expiry" className={expiry.isSoon ? 'kept-soon' : undefined}>
          {expiry.text}
        </span>,
      ]}
      tools={
        <>
          <Link href={href} className="button">
            <Play aria-hidden /> <span>Play</span>
          </Link>
          <button
            type="button"
            className="icon-button"
            aria-label={`Share the archive of ${of}`}
            title="Share"
            onClick={onShare}
          >
            <Share2 aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={`Delete the archive of ${of}`}
            title="Delete"
            onClick={onDelete}
          >
            <Trash2 aria-hidden />
          </button>
        </>
      }
    />
  );
}

/** Every archive: the kept sessions of cameras that went offline. */
export default function ArchivesPage(): ReactElement {
  const [list] = useState(() => new KeptItems<ArchiveJson>((cursor, signal) => api.archives(cursor, null, signal)));
  const [doomed, setDoomed] = useState<{ readonly archive: ArchiveJson; readonly name: string } | null>(null);
  const [shared, setShared] = useState<ArchiveJson | null>(null);
  const shownZone = useStore(zone);
  return (
    <>
      <KeptList
        title="Archives"
        list={list}
        empty={
          <p className="muted kept-empty">
            No archives. When a camera goes offline, its session is kept here for some days, also after its timeline has
            moved on.
          </p>
        }
        row={(archive, name) => (
          <Row
            key={archive.id}
            archive={archive}
            name={name}
            onShare={() => setShared(archive)}
            onDelete={() => setDoomed({ archive, name: name ?? archive.streamId })}
          />
        )}
      />
      {doomed !== null && (
        <DeleteDialog
          noun="archive"
          note={KEPT_NOTE}
          what={`${doomed.name}, ${spanText(Date.parse(doomed.archive.from), Date.parse(doomed.archive.to), shownZone)}`}
          remove={async () => {
            await api.deleteArchive(doomed.archive.id);
            list.drop(doomed.archive.id);
          }}
          onClose={() => setDoomed(null)}
        />
      )}
      {shared !== null && <ShareKeptDialog kept={{ kind: 'archive', id: shared.id }} onClose={() => setShared(null)} />}
    </>
  );
}
