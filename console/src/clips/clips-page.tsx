import { Play } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { clipApi, type ClipJson } from '../api/clip-api.ts';
import { useStore } from '../api/store.ts';
import { bytes } from '../assets/quantities.ts';
import { expiryText } from '../kept/expiry.ts';
import { KeptItems, KeptList, spanText } from '../kept/kept-list.tsx';
import { KeptRow } from '../kept/kept-row.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { duration } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { isOver } from './clip-follower.ts';
import { ClipProgress } from './clip-progress.tsx';
import { ClipTools } from './clip-tools.tsx';
import '../styles/clips.css';

const REFRESH_MS = 1000;

function Row(props: {
  readonly clip: ClipJson;
  readonly name: string | undefined;
  readonly list: KeptItems<ClipJson>;
}): ReactElement {
  const { clip, name, list } = props;
  const shownZone = useStore(zone);
  const now = useNow();
  const href = `/clips/${encodeURIComponent(clip.id)}`;
  const fromMs = Date.parse(clip.from);
  const isReady = clip.state === 'ready';
  const expiry = expiryText(clip.expiresAt, now);
  return (
    <KeptRow
      href={href}
      streamId={clip.streamId}
      pictureMs={Date.parse(clip.startsAt ?? clip.from)}
      title={clip.name}
      facts={[
        <Link key="stream" href={`/streams/${encodeURIComponent(clip.streamId)}`}>
          {name ?? '…'}
        </Link>,
        spanText(fromMs, Date.parse(clip.to), shownZone),
        ...(isReady
          ? [
              duration((clip.durationSeconds ?? 0) * 1000),
              bytes(clip.sizeBytes ?? 0),
              ...(clip.speed === 1 ? [] : [`${clip.speed}× as fast`]),
            ]
          : []),
        <span key="expiry" className={expiry.isSoon ? 'kept-soon' : undefined}>
          {expiry.text}
        </span>,
      ]}
      more={isReady ? null : <ClipProgress clip={clip} />}
      tools={
        <>
          {isReady && (
            <Link href={href} className="button">
              <Play aria-hidden /> <span>Play</span>
            </Link>
          )}
          <ClipTools clip={clip} onChanged={(changed) => list.put(changed)} onRemoved={() => list.drop(clip.id)} />
        </>
      }
    />
  );
}

/** Every clip. */
export default function ClipsPage(): ReactElement {
  const [list] = useState(() => new KeptItems<ClipJson>(clipApi.list));
  const open = (useStore(list.items) ?? []).filter((clip) => !isOver(clip)).map(({ id }) => id);
  const openIds = open.join(' ');
  useEffect(() => {
    if (openIds === '') return undefined;
    const timer = setInterval(() => {
      if (document.hidden) return;
      for (const id of openIds.split(' '))
        clipApi.read(id).then(
          (fresh) => list.put(fresh),
          // Away, or gone: the next turn, or the next visit, tells.
          () => undefined,
        );
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [openIds, list]);
  return (
    <KeptList
      title="Clips"
      list={list}
      empty={
        <div className="kept-empty">
          <p>No clips yet.</p>
          <p className="muted">
            Open a camera, a recording or an archive, press <kbd>I</kbd> at the first picture and <kbd>O</kbd> at the
            last, and <kbd>C</kbd>: the stretch becomes one MP4, cut to the picture, to download or to share.
          </p>
          <Link className="button" href="/">
            To the cameras
          </Link>
        </div>
      }
      row={(clip, name) => <Row key={clip.id} clip={clip} name={name} list={list} />}
    />
  );
}
