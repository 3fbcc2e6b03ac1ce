import { useState, type ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import type { AssetJson } from '../api/asset-types.ts';
import { describeError } from '../api/problem.ts';
import { Dialog } from '../shell/dialog.tsx';
import { toast } from '../shell/toasts.tsx';

/** Does something with an asset, and says so when it cannot be done. Null: it failed. */
export async function attempt<T>(what: string, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    toast(`${what} ${describeError(error)}`, { tone: 'bad', forMs: 9000 });
    return null;
  }
}

/** Asks whether an asset is to go, and removes it. */
export function DeleteAssetDialog(props: {
  readonly asset: AssetJson;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}): ReactElement {
  const { asset, onClose, onDeleted } = props;
  const [busy, setBusy] = useState(false);
  const remove = async (): Promise<void> => {
    setBusy(true);
    const done = await attempt('It could not be deleted:', async () => {
      await assetApi.remove(asset.id);
      return true;
    });
    setBusy(false);
    if (done === null) return;
    toast(`${asset.name} is deleted.`);
    onDeleted();
  };
  return (
    <Dialog title="Delete this asset?" onClose={onClose}>
      <p className="dialog-subject">{asset.name}</p>
      <p className="muted">The file and everything made from it go, and links to it end. This cannot be undone.</p>
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Keep it
        </button>
        <button type="button" className="button" data-kind="danger" disabled={busy} onClick={() => void remove()}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
