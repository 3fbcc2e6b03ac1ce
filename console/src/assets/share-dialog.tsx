import { useEffect, useState, type ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import type { AssetJson } from '../api/asset-types.ts';
import type { PlaybackToken } from '../api/client.ts';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { AddressRow } from './copy-button.tsx';

/** A link that plays without a key, for as long as its token holds. */
export function ShareDialog({
  asset,
  onClose,
}: {
  readonly asset: AssetJson;
  readonly onClose: () => void;
}): ReactElement {
  const [token, setToken] = useState<PlaybackToken | null>(null);
  const [problem, setProblem] = useState('');
  const now = useNow();
  const shownZone = useStore(zone);
  useEffect(() => {
    let isOver = false;
    assetApi.token(asset.id).then(
      (made) => {
        if (!isOver) setToken(made);
      },
      (error: unknown) => {
        if (!isOver) setProblem(describeError(error));
      },
    );
    return () => {
      isOver = true;
    };
  }, [asset.id]);
  const withToken = (path: string): string => {
    const url = new URL(path, location.href);
    if (token !== null) url.searchParams.set('token', token.token);
    return url.href;
  };
  const { playback } = asset;
  return (
    <Dialog title="Share" wide onClose={onClose}>
      <p className="muted">
        Whoever has such a link can play this asset, and nothing else, without a key
        {token === null ? '.' : ` until ${listTime(Date.parse(token.expiresAt), now, shownZone)}.`}
      </p>
      {problem !== '' && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="address-list" aria-busy={token === null && problem === ''}>
        {token === null || playback === null ? (
          <div className="skeleton" style={{ height: 80 }} />
        ) : (
          <>
            <AddressRow label="HLS" url={withToken(playback.hls)} />
            {playback.dash !== null && <AddressRow label="DASH" url={withToken(playback.dash)} />}
            {playback.download !== null && <AddressRow label="MP4" url={withToken(playback.download)} />}
          </>
        )}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
