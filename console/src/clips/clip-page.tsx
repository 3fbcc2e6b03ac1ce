import { ChevronLeft } from 'lucide-react';
import { useEffect, useRef, useState, type ReactElement, type RefObject } from 'react';
import { clipApi, type ClipJson } from '../api/clip-api.ts';
import { resyncs } from '../api/connection.ts';
import { ApiError, describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { bytes } from '../assets/quantities.ts';
import { expiryText } from '../kept/expiry.ts';
import { spanText, useStreamNames } from '../kept/kept-list.tsx';
import { zone } from '../shell/preferences.ts';
import { Link, navigate } from '../shell/router.tsx';
import { clockTime, duration, shortDate } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { zoneLabel } from '../time/zone.ts';
import { ClipProgress, useClip, useClipFile } from './clip-progress.tsx';
import { ClipTools } from './clip-tools.tsx';
import '../styles/kept.css';
import '../styles/clips.css';
import '../styles/facts.css';

/** A clip is shorter than its stretch by more than this: something was left out, and its time is no longer wall time. */
const LEFT_OUT_MS = 1000;

/** The wall time that the picture on screen shows, where that can be told from the time in the clip. */
function WallTime({
  clip,
  video,
}: {
  readonly clip: ClipJson;
  readonly video: RefObject<HTMLVideoElement | null>;
}): ReactElement | null {
  const shownZone = useStore(zone);
  const [timeS, setTimeS] = useState(0);
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    const note = (): void => setTimeS(element.currentTime);
    for (const type of ['timeupdate', 'seeking'] as const) element.addEventListener(type, note);
    return () => {
      for (const type of ['timeupdate', 'seeking'] as const) element.removeEventListener(type, note);
    };
  }, [video]);
  const startMs = Date.parse(clip.startsAt ?? clip.from);
  const lengthMs = (clip.durationSeconds ?? 0) * 1000 * clip.speed;
  if (Date.parse(clip.to) - startMs - lengthMs > LEFT_OUT_MS) return null;
  const atMs = startMs + timeS * 1000 * clip.speed;
  return (
    <p className="clip-wall">
      <span className="clip-wall-time">{clockTime(atMs, shownZone, 'ms')}</span>
      <span className="muted">
        {shortDate(atMs, shownZone)} · {zoneLabel(atMs, shownZone)}
      </span>
    </p>
  );
}

function Facts({ clip }: { readonly clip: ClipJson }): ReactElement {
  const shownZone = useStore(zone);
  const now = useNow();
  const streamName = useStreamNames([clip]).get(clip.streamId);
  const folder = clip.holdId?.startsWith('rec_') === true ? 'recordings' : 'archives';
  const pictures = (clip.encodedPictures ?? 0) + (clip.copiedPictures ?? 0);
  const rows: readonly (readonly [string, ReactElement | string])[] = [
    [
      'Of',
      <Link key="stream" href={`/streams/${encodeURIComponent(clip.streamId)}?from=${clip.from}&to=${clip.to}`}>
        {streamName ?? '…'}
      </Link>,
    ],
    ...(clip.holdId === null
      ? []
      : ([
          [
            'Cut from',
            <Link key="hold" href={`/${folder}/${encodeURIComponent(clip.holdId)}`}>
              {folder === 'recordings' ? 'a recording' : 'an archive'}
            </Link>,
          ],
        ] as const)),
    ['From – to', spanText(Date.parse(clip.from), Date.parse(clip.to), shownZone)],
    ['Length', clip.durationSeconds === null ? '–' : duration(clip.durationSeconds * 1000)],
    ['Speed', clip.speed === 1 ? 'as it was' : `${clip.speed}× as fast`],
    ['Cut', clip.mode === 'exact' ? 'to the picture' : 'on keyframes'],
    ['Gaps', clip.gaps === 'skip' ? 'left out' : 'black'],
    ['Sound', clip.hasSound === null ? '–' : clip.hasSound ? 'yes' : 'none'],
    ['Pictures', pictures === 0 ? '–' : `${pictures}, of which ${clip.encodedPictures ?? 0} encoded again`],
    ['Size', clip.sizeBytes === null ? '–' : bytes(clip.sizeBytes)],
    ['Kept', expiryText(clip.expiresAt, now).text],
  ];
  return (
    <dl className="facts" data-wide>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Clip({ loaded }: { readonly loaded: ClipJson }): ReactElement {
  const clip = useClip(loaded);
  const file = useClipFile(clip);
  const video = useRef<HTMLVideoElement>(null);
  return (
    <div className="kept-page clip-page">
      <header className="clip-header">
        <Link href="/clips" className="icon-button" aria-label="Back to the clips" title="Clips">
          <ChevronLeft aria-hidden />
        </Link>
        <h1>{clip.name}</h1>
        <div className="header-tools">
          <ClipTools clip={clip} onChanged={() => undefined} onRemoved={() => navigate('/clips')} />
        </div>
      </header>
      <div className="clip-screen" data-ready={clip.state === 'ready'}>
        {file.url === null ? (
          clip.state !== 'ready' && <ClipProgress clip={clip} />
        ) : (
          <video ref={video} src={file.url} controls playsInline aria-label={clip.name} />
        )}
      </div>
      {file.problem !== '' && (
        <p className="field-error" role="alert">
          {file.problem}
        </p>
      )}
      {file.url !== null && <WallTime clip={clip} video={video} />}
      <Facts clip={clip} />
    </div>
  );
}

/** A clip's page: plays it, and tells what it is. */
export default function ClipPage({ id }: { readonly id: string }): ReactElement {
  const [clip, setClip] = useState<ClipJson | null>(null);
  const [error, setError] = useState<unknown>(null);
  const resync = useStore(resyncs);
  const isLoaded = clip !== null;
  useEffect(() => {
    if (isLoaded) return undefined;
    const loading = new AbortController();
    clipApi.read(id, loading.signal).then(
      (found) => {
        if (loading.signal.aborted) return;
        document.title = `${found.name}, clip · Zoetrope`;
        setClip(found);
      },
      (reason: unknown) => {
        if (!loading.signal.aborted) setError(reason);
      },
    );
    return () => loading.abort();
  }, [id, resync, isLoaded]);
  if (clip !== null) return <Clip loaded={clip} />;
  if (error === null) return <div className="page-loading" aria-busy="true" />;
  const isGone = error instanceof ApiError && (error.status === 404 || error.status === 410);
  return (
    <div className="notice" role={isGone ? undefined : 'alert'}>
      <h1>{isGone ? 'No such clip' : 'The clip could not be loaded'}</h1>
      <p className="muted">{isGone ? 'It expired, or was deleted.' : describeError(error)}</p>
      <Link className="button" href="/clips">
        Back to the clips
      </Link>
    </div>
  );
}
