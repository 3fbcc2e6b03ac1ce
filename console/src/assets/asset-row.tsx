import { ChevronRight, CircleStop, Film, RotateCcw, Trash2 } from 'lucide-react';
import { memo, useId, useState, type ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import { isFinal, type AssetJson } from '../api/asset-types.ts';
import { useStore } from '../api/store.ts';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { ago, duration, listTime } from '../time/format.ts';
import { mediaTime } from '../time/media-time.ts';
import { useNow } from '../time/now.ts';
import { attempt } from './asset-actions.tsx';
import { canRetry } from './asset-list.ts';
import { mediaLine } from './facts.ts';
import { OutputTable } from './output-table.tsx';
import { ProgressBar, StateBadge } from './progress-bar.tsx';
import { percent, speedText, timeLeft } from './quantities.ts';
import { ServerPicture } from './server-picture.tsx';

/** What an {@link AssetRow} shows, and what it asks for. */
export interface AssetRowProps {
  readonly asset: AssetJson;
  readonly onChanged: (asset: AssetJson) => void;
  readonly onDelete: (asset: AssetJson) => void;
}

/** The address of an asset's page. */
export function assetHref(id: string): string {
  return `/assets/${encodeURIComponent(id)}`;
}

function Age({ asset }: { readonly asset: AssetJson }): ReactElement {
  const now = useNow();
  const shownZone = useStore(zone);
  const madeMs = Date.parse(asset.createdAt);
  return (
    <time className="job-age muted" dateTime={asset.createdAt} title={listTime(madeMs, now, shownZone)}>
      {ago(madeMs, now)}
    </time>
  );
}

/** What is to be said of an asset's work, in a line. */
export function workLine(asset: AssetJson): string {
  if (asset.state === 'queued') return 'Waits for a worker';
  if (asset.state === 'probing')
    return asset.source.kind === 'url' ? 'Fetching and looking into it' : 'Looking into it';
  return [
    percent(asset.progress),
    asset.speed !== null && asset.speed > 0 && speedText(asset.speed),
    asset.etaSeconds !== null && timeLeft(asset.etaSeconds),
    asset.playback !== null && 'plays already',
  ]
    .filter((part) => part !== false)
    .join(' · ');
}

function endLine(asset: AssetJson): string | null {
  if (asset.startedAt === null || asset.endedAt === null) return null;
  return `${asset.state === 'ready' ? 'made' : 'ended'} in ${duration(Date.parse(asset.endedAt) - Date.parse(asset.startedAt))}`;
}

/** An asset in the list: what it is, how far it is, and each of its outputs when opened. */
export const AssetRow = memo(function AssetRow({ asset, onChanged, onDelete }: AssetRowProps): ReactElement {
  const [open, setOpen] = useState(false);
  const panelId = useId();
  const over = isFinal(asset.state);
  const end = endLine(asset);
  const act = async (what: string, run: () => Promise<AssetJson>): Promise<void> => {
    const changed = await attempt(what, run);
    if (changed !== null) onChanged(changed);
  };
  return (
    <li className="job" data-asset={asset.id} data-state={asset.state}>
      <div className="job-head">
        <Link href={assetHref(asset.id)} className="job-poster" tabIndex={-1} aria-hidden>
          <ServerPicture url={asset.playback?.poster ?? null} alt="">
            <Film />
          </ServerPicture>
          {asset.durationMs !== null && <span className="job-length">{mediaTime(asset.durationMs / 1000)}</span>}
        </Link>
        <div className="job-main">
          <p className="job-title">
            <Link href={assetHref(asset.id)} className="job-name" title={asset.name}>
              {asset.name}
            </Link>
            <StateBadge state={asset.state} />
            {asset.referenceId !== null && (
              <span className="job-reference muted" title="Reference id">
                {asset.referenceId}
              </span>
            )}
          </p>
          <p className="job-facts muted">
            {mediaLine(asset)}
            {end !== null && ` · ${end}`}
          </p>
          {!over && (
            <div className="job-progress">
              <ProgressBar part={asset.state === 'probing' ? null : asset.progress} label={asset.name} />
              <span className="job-work">{workLine(asset)}</span>
            </div>
          )}
        </div>
        <Age asset={asset} />
        <div className="job-tools">
          {!over && (
            <button
              type="button"
              className="icon-button"
              aria-label={`Cancel ${asset.name}`}
              title="Cancel"
              onClick={() => void act('It could not be cancelled:', () => assetApi.cancel(asset.id))}
            >
              <CircleStop aria-hidden />
            </button>
          )}
          {canRetry(asset) && (
            <button
              type="button"
              className="icon-button"
              aria-label={`Try ${asset.name} again`}
              title="Try again"
              onClick={() => void act('It could not be tried again:', () => assetApi.retry(asset.id))}
            >
              <RotateCcw aria-hidden />
            </button>
          )}
          <button
            type="button"
            className="icon-button"
            aria-label={`Delete ${asset.name}`}
            title="Delete"
            onClick={() => onDelete(asset)}
          >
            <Trash2 aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button job-toggle"
            aria-label={`Outputs of ${asset.name}`}
            title="Outputs"
            aria-expanded={open}
            aria-controls={panelId}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight aria-hidden />
          </button>
        </div>
      </div>
      {asset.cause !== null && (
        <p className="job-cause">
          {asset.cause.message} <code>{asset.cause.code}</code>
        </p>
      )}
      <div id={panelId} className="job-outputs" hidden={!open}>
        {open && <OutputTable asset={asset} />}
      </div>
    </li>
  );
});
