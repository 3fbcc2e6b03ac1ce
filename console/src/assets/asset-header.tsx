import { ChevronLeft, CircleStop, Pencil, RotateCcw, Share2, Trash2 } from 'lucide-react';
import { useState, type FormEvent, type ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import { isFinal, type AssetJson } from '../api/asset-types.ts';
import { Link, navigate } from '../shell/router.tsx';
import { attempt, DeleteAssetDialog } from './asset-actions.tsx';
import { canRetry } from './asset-list.ts';
import { StateBadge } from './progress-bar.tsx';
import { ShareAssetDialog } from './share-dialog.tsx';

function Name({
  asset,
  onChanged,
}: {
  readonly asset: AssetJson;
  readonly onChanged: (asset: AssetJson) => void;
}): ReactElement {
  const [text, setText] = useState<string | null>(null);
  const save = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    const wanted = (text ?? '').trim();
    setText(null);
    if (wanted === '' || wanted === asset.name) return;
    const changed = await attempt('It could not be renamed:', () => assetApi.rename(asset.id, wanted));
    if (changed !== null) onChanged(changed);
  };
  if (text === null) {
    return (
      <>
        <h1 title={asset.name}>{asset.name}</h1>
        <StateBadge state={asset.state} />
        <button
          type="button"
          className="icon-button asset-rename"
          aria-label="Rename"
          title="Rename"
          onClick={() => setText(asset.name)}
        >
          <Pencil aria-hidden />
        </button>
      </>
    );
  }
  return (
    <form className="asset-name-form" onSubmit={(event) => void save(event)}>
      <input
        autoFocus
        aria-label="Name"
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => void save()}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setText(null);
        }}
      />
    </form>
  );
}

/** The line above an asset's player: its name, its state, and what can be done with it. */
export function AssetHeader({
  asset,
  onChanged,
}: {
  readonly asset: AssetJson;
  readonly onChanged: (asset: AssetJson) => void;
}): ReactElement {
  const [dialog, setDialog] = useState<'none' | 'share' | 'delete'>('none');
  const act = async (what: string, run: () => Promise<AssetJson>): Promise<void> => {
    const changed = await attempt(what, run);
    if (changed !== null) onChanged(changed);
  };
  return (
    <header className="asset-header">
      <Link href="/assets" className="icon-button" aria-label="Back to the assets" title="Assets">
        <ChevronLeft aria-hidden />
      </Link>
      <Name asset={asset} onChanged={onChanged} />
      <div className="asset-header-end">
        {!isFinal(asset.state) && (
          <button
            type="button"
            className="button"
            onClick={() => void act('It could not be cancelled:', () => assetApi.cancel(asset.id))}
          >
            <CircleStop aria-hidden /> Cancel
          </button>
        )}
        {canRetry(asset) && (
          <button
            type="button"
            className="button"
            onClick={() => void act('It could not be tried again:', () => assetApi.retry(asset.id))}
          >
            <RotateCcw aria-hidden /> Try again
          </button>
        )}
        {asset.playback !== null && (
          <button type="button" className="button" onClick={() => setDialog('share')}>
            <Share2 aria-hidden /> Share
          </button>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label={`Delete ${asset.name}`}
          title="Delete"
          onClick={() => setDialog('delete')}
        >
          <Trash2 aria-hidden />
        </button>
      </div>
      {dialog === 'share' && <ShareAssetDialog asset={asset} onClose={() => setDialog('none')} />}
      {dialog === 'delete' && (
        <DeleteAssetDialog asset={asset} onClose={() => setDialog('none')} onDeleted={() => navigate('/assets')} />
      )}
    </header>
  );
}
