import { Play, Trash2 } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { api, type ArchiveJson } from '../api/client.ts';
import { resyncs } from '../api/connection.ts';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';
import { clockTime, duration, shortDate } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { startOfDay, type Zone } from '../time/zone.ts';
import '../styles/archives.css';

function spanText(fromMs: number, toMs: number, shownZone: Zone): string {
  const sameDay = startOfDay(fromMs, shownZone) === startOfDay(toMs, shownZone);
  const end = `${sameDay ? '' : `${shortDate(toMs, shownZone)} `}${clockTime(toMs, shownZone)}`;
  return `${shortDate(fromMs, shownZone)} ${clockTime(fromMs, shownZone)} – ${end}`;
}

/** The names of the streams that archives belong to; asked for once each. */
function useStreamNames(archives: readonly ArchiveJson[]): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const missing = [...new Set(archives.map((archive) => archive.streamId))].filter((id) => !names.has(id)).join(' ');
  useEffect(() => {
    if (missing === '') return undefined;
    const loading = new AbortController();
    const load = async (id: string): Promise<readonly [string, string]> => {
      try {
        return [id, (await api.stream(id, loading.signal)).name];
      } catch {
        // The stream is gone and its archive is not: then its id has to do.
        return [id, id];
      }
    };
    void Promise.all(missing.split(' ').map(load)).then((found) => {
      if (!loading.signal.aborted) setNames((before) => new Map([...before, ...found]));
    });
    return () => loading.abort();
  }, [missing]);
  return names;
}

function Row(props: {
  readonly archive: ArchiveJson;
  readonly name: string | undefined;
  readonly onDelete: () => void;
}): ReactElement {
  const { archive, name, onDelete } = props;
  const shownZone = useStore(zone);
  const now = useNow();
  const [fromMs, toMs] = [Date.parse(archive.from), Date.parse(archive.to)];
  const leftMs = archive.expiresAt === null ? null : Date.parse(archive.expiresAt) - now;
  const href = `/archives/${encodeURIComponent(archive.id)}`;
  return (
    <tr>
      <td className="archive-name">
        <Link href={href}>{name ?? '…'}</Link>
      </td>
      <td>{spanText(fromMs, toMs, shownZone)}</td>
      <td data-label="Length">{duration(toMs - fromMs)}</td>
      <td data-label="Expires" className={leftMs !== null && leftMs < 86_400_000 ? 'archive-soon' : 'muted'}>
        {leftMs === null
          ? 'never'
          : leftMs <= 0
            ? 'now'
            : `in ${duration(Math.max(60_000, Math.round(leftMs / 60_000) * 60_000))}`}
      </td>
      <td className="archive-tools">
        <Link href={href} className="button">
          <Play aria-hidden /> Play
        </Link>
        <button
          type="button"
          className="icon-button"
          aria-label={`Delete the archive of ${name ?? archive.streamId}`}
          title="Delete"
          onClick={onDelete}
        >
          <Trash2 aria-hidden />
        </button>
      </td>
    </tr>
  );
}

/** Every archive: the kept sessions of cameras that went offline. */
export default function ArchivesPage(): ReactElement {
  const [items, setItems] = useState<readonly ArchiveJson[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [doomed, setDoomed] = useState<ArchiveJson | null>(null);
  const resync = useStore(resyncs);
  const shownZone = useStore(zone);
  const names = useStreamNames(items ?? []);

  useEffect(() => {
    document.title = 'Archives · Zoetrope';
    const loading = new AbortController();
    api.archives(null, null, loading.signal).then(
      (page) => {
        setItems(page.items);
        setCursor(page.nextCursor);
        setError(null);
      },
      (reason: unknown) => {
        if (!loading.signal.aborted) setError(reason);
      },
    );
    return () => loading.abort();
  }, [resync]);

  const more = async (): Promise<void> => {
    try {
      const page = await api.archives(cursor, null);
      setItems((before) => [...(before ?? []), ...page.items]);
      setCursor(page.nextCursor);
    } catch (reason) {
      toast(describeError(reason), { tone: 'bad' });
    }
  };
  const remove = async (archive: ArchiveJson): Promise<void> => {
    setDoomed(null);
    try {
      await api.deleteArchive(archive.id);
      setItems((before) => before?.filter((each) => each.id !== archive.id) ?? null);
      toast('The archive is deleted.');
    } catch (reason) {
      toast(`It could not be deleted: ${describeError(reason)}`, { tone: 'bad' });
    }
  };

  if (items === null && error !== null) {
    return (
      <div className="notice" role="alert">
        <h1>The archives could not be loaded</h1>
        <p className="muted">{describeError(error)}</p>
      </div>
    );
  }
  return (
    <div className="archives-page">
      <h1>Archives</h1>
      {items === null ? (
        <div className="archives-loading" aria-busy="true" aria-label="Loading archives">
          {Array.from({ length: 5 }, (_, index) => (
            <div key={index} className="skeleton" />
          ))}
        </div>
      ) : items.length === 0 ? (
        <p className="muted archives-empty">
          No archives. When a camera goes offline, its session is kept here for some days, also after its timeline has
          moved on.
        </p>
      ) : (
        <table className="archives">
          <thead>
            <tr>
              <th scope="col">Camera</th>
              <th scope="col">From – to</th>
              <th scope="col">Length</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span className="visually-hidden">Play or delete</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((archive) => (
              <Row
                key={archive.id}
                archive={archive}
                name={names.get(archive.streamId)}
                onDelete={() => setDoomed(archive)}
              />
            ))}
          </tbody>
        </table>
      )}
      {cursor !== null && (
        <button type="button" className="button" onClick={() => void more()}>
          Show more
        </button>
      )}
      {doomed !== null && (
        <Dialog title="Delete this archive?" onClose={() => setDoomed(null)}>
          <p>
            {names.get(doomed.streamId)}, {spanText(Date.parse(doomed.from), Date.parse(doomed.to), shownZone)}
          </p>
          <p className="muted">
            Pictures that are older than the camera’s retention go with it. This cannot be undone.
          </p>
          <div className="dialog-actions">
            <button type="button" className="button" data-first onClick={() => setDoomed(null)}>
              Keep it
            </button>
            <button type="button" className="button" data-kind="danger" onClick={() => void remove(doomed)}>
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
