import { useState, type ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import { MarkerTable } from '../markers/marker-table.tsx';
import { SourcePanel } from '../sources/source-panel.tsx';
import type { CameraModel } from './camera-model.ts';

/** What stands beside the player: the markers, and on a stream's own page its source. */
export function Side({ model, onAdd }: { readonly model: CameraModel; readonly onAdd: () => void }): ReactElement {
  const { kind, state } = useStore(model.stream);
  // What has never sent anything has no markers, but somebody who wants to know how to send.
  const [tab, setTab] = useState<'markers' | 'source'>(kind !== 'frames' && state === 'new' ? 'source' : 'markers');
  if (model.isKept) return <MarkerTable model={model} onAdd={onAdd} />;
  return (
    <div className="side">
      <div className="segmented side-tabs" role="group" aria-label="Beside the pictures">
        <button type="button" aria-pressed={tab === 'markers'} onClick={() => setTab('markers')}>
          Markers
        </button>
        <button type="button" aria-pressed={tab === 'source'} onClick={() => setTab('source')}>
          Source
        </button>
      </div>
      {tab === 'markers' ? <MarkerTable model={model} onAdd={onAdd} /> : <SourcePanel store={model.stream} />}
    </div>
  );
}
