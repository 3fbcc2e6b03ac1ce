import { useEffect, useState, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { shareKept, type ShareLink } from '../api/recording-api.ts';
import { useStore } from '../api/store.ts';
import { AddressRow } from '../assets/copy-button.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { folderOf, type Kept } from './kept.ts';

const LIVES: readonly (readonly [string, number])[] = [
  ['1 hour', 3600],
  ['1 day', 86_400],
  ['7 days', 604_800],
];

/** A link to an archive or a recording that plays without a key, for as long as was chosen. */
export function ShareKeptDialog({
  kept,
  onClose,
}: {
  readonly kept: Pick<Kept, 'kind' | 'id'>;
  readonly onClose: () => void;
}): ReactElement {
  const [expiresIn, setExpiresIn] = useState(86_400);
  const [made, setMade] = useState<(ShareLink & { readonly expiresIn: number }) | null>(null);
  const [problem, setProblem] = useState('');
  const now = useNow();
  const shownZone = useStore(zone);
  const { kind, id } = kept;
  useEffect(() => {
    let isOver = false;
    setProblem('');
    shareKept(folderOf(kind), id, expiresIn).then(
      (link) => {
        if (!isOver) setMade({ ...link, expiresIn });
      },
      (error: unknown) => {
        if (!isOver) setProblem(describeError(error));
      },
    );
    return () => {
      isOver = true;
    };
  }, [kind, id, expiresIn]);
  const isReady = made !== null && made.expiresIn === expiresIn;
  return (
    <Dialog title="Share" wide onClose={onClose}>
      <p className="muted">Whoever has this link can play this {kind}, and nothing else, without a key.</p>
      <div className="share-life">
        <span id="share-life">It works for</span>
        <div className="segmented" role="group" aria-labelledby="share-life">
          {LIVES.map(([label, seconds]) => (
            <button
              key={label}
              type="button"
              aria-pressed={expiresIn === seconds}
              onClick={() => setExpiresIn(seconds)}
            >
              {label}
            </button>
          ))}
        </div>
        <span className="muted" role="status">
          {isReady ? `until ${listTime(Date.parse(made.expiresAt), now, shownZone)}` : ''}
        </span>
      </div>
      {problem !== '' && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="address-list" aria-busy={!isReady && problem === ''}>
        {isReady ? (
          <AddressRow label="HLS" url={new URL(made.url, location.href).href} />
        ) : (
          problem === '' && <div className="skeleton" style={{ height: 36 }} />
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
