import { useEffect, useEffectEvent, useState, type ReactElement } from 'react';
import { clipFileUrl, type ClipJson } from '../api/clip-api.ts';
import { describeError } from '../api/problem.ts';
import { Store, useStore } from '../api/store.ts';
import { ProgressBar } from '../assets/progress-bar.tsx';
import { percent } from '../assets/quantities.ts';
import { clipFollower, isOver } from './clip-follower.ts';

/** The clip as it is now, followed until it has ended. */
export function useClip(clip: ClipJson): ClipJson {
  const [store] = useState(() => (isOver(clip) ? new Store(clip) : clipFollower.follow(clip)));
  useEffect(() => clipFollower.look(clip.id), [clip.id]);
  return useStore(store);
}

/** Where the tab gets a clip's file; null until it is there, or when it cannot be had. */
export function useClipFile(clip: ClipJson): { readonly url: string | null; readonly problem: string } {
  const [file, setFile] = useState<{ readonly url: string | null; readonly problem: string }>({
    url: null,
    problem: '',
  });
  const load = useEffectEvent(() => clipFileUrl(clip));
  const isReady = clip.state === 'ready';
  useEffect(() => {
    if (!isReady) return undefined;
    let isGone = false;
    load().then(
      (url) => {
        if (!isGone) setFile({ url, problem: '' });
      },
      (error: unknown) => {
        if (!isGone) setFile({ url: null, problem: describeError(error) });
      },
    );
    return () => {
      isGone = true;
    };
  }, [clip.id, isReady]);
  return file;
}

/** In words how far a clip is. */
export function progressWords({ state, progress, cause }: ClipJson): string {
  switch (state) {
    case 'queued':
      return cause === null ? 'Waits for its turn' : `Is tried again: ${cause.message}`;
    case 'working':
      return `Being made, ${percent(progress)}`;
    case 'ready':
      return 'Ready';
    case 'failed':
      return `Failed: ${cause?.message ?? 'no cause is known.'}`;
    case 'cancelled':
      return 'Cancelled';
  }
}

/** How far a clip is. */
export function ClipProgress({ clip }: { readonly clip: ClipJson }): ReactElement {
  const tone = clip.state === 'failed' ? 'bad' : clip.state === 'ready' ? 'good' : 'accent';
  return (
    <div className="clip-progress">
      <ProgressBar
        part={clip.state === 'queued' ? null : clip.progress}
        label={`${clip.name}, progress`}
        tone={clip.state === 'cancelled' ? 'quiet' : tone}
      />
      <p className={clip.state === 'failed' ? 'field-error' : 'muted'} role="status">
        {progressWords(clip)}
      </p>
    </div>
  );
}
