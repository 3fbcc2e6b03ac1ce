import { useEffect, useState, type ReactElement } from 'react';
import { resyncs } from '../api/connection.ts';
import { ApiError, describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { PageSkeleton } from '../camera/page-skeleton.tsx';
import { Workspace } from '../camera/workspace.tsx';
import { Link } from '../shell/router.tsx';

/** What a {@link KeptPage} shows. */
export interface KeptPageProps<T> {
  readonly id: string;
  /** `archive`, for what it says when there is none. */
  readonly noun: string;
  /** Why one may be gone. */
  readonly gone: string;
  /** The list of all, and its address. */
  readonly list: { readonly href: string; readonly name: string };
  readonly load: (id: string, signal: AbortSignal) => Promise<Loaded<T>>;
  readonly header: (loaded: Loaded<T>) => ReactElement;
}

/** What was loaded for a page. */
export interface Loaded<T> {
  readonly item: T;
  readonly model: CameraModel;
}

/** The page of an archive or a recording: the camera's page, within its bounds. */
export function KeptPage<T>(props: KeptPageProps<T>): ReactElement {
  const { id, noun, gone, list, load, header } = props;
  const [loaded, setLoaded] = useState<Loaded<T> | null>(null);
  const [error, setError] = useState<unknown>(null);
  const resync = useStore(resyncs);
  const isLoaded = loaded !== null;
  useEffect(() => {
    if (isLoaded) return undefined;
    const loading = new AbortController();
    load(id, loading.signal).then(
      (found) => {
        if (loading.signal.aborted) return;
        document.title = `${found.model.stream.get().name}, ${noun} · Zoetrope`;
        setLoaded(found);
      },
      (reason: unknown) => {
        if (!loading.signal.aborted) setError(reason);
      },
    );
    return () => loading.abort();
  }, [id, noun, load, resync, isLoaded]);
  if (loaded !== null) return <Workspace model={loaded.model} header={header(loaded)} />;
  if (error === null) return <PageSkeleton />;
  const isGone = error instanceof ApiError && (error.status === 404 || error.status === 410);
  return (
    <div className="notice" role={isGone ? undefined : 'alert'}>
      <h1>{isGone ? `No such ${noun}` : `The ${noun} could not be loaded`}</h1>
      <p className="muted">{isGone ? gone : describeError(error)}</p>
      <Link className="button" href={list.href}>
        Back to the {list.name}
      </Link>
    </div>
  );
}
