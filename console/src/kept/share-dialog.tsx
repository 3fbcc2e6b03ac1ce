import { useEffect, useEffectEvent, useState, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { AddressRow } from '../assets/copy-button.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import '../styles/kept.css';

/** How long a link can work, in seconds. */
const LIVES: readonly (readonly [string, number])[] = [
  ['1 hour', 3600],
  ['1 day', 86_400],
  ['7 days', 604_800],
];

/** Links that work without a key for a while. */
export interface SharedLinks {
  readonly expiresAt: string;
  readonly addresses: readonly { readonly label: string; readonly url: string }[];
}

/** Makes links that play something without a key, for as long as was chosen. */
export function ShareDialog(props: {
  readonly noun: string;
  readonly make: (expiresInS: number) => Promise<SharedLinks>;
  readonly onClose: () => void;
}): ReactElement {
  const { noun, onClose } = props;
  const [expiresIn, setExpiresIn] = useState(86_400);
  const [made, setMade] = useState<(SharedLinks & { readonly expiresIn: number }) | null>(null);
  const [problem, setProblem] = useState('');
  const now = useNow();
  const shownZone = useStore(zone);
  const make = useEffectEvent(props.make);
  useEffect(() => {
    let isOver = false;
    setProblem('');
    make(expiresIn).then(
      (links) => {
        if (!isOver) setMade({ ...links, expiresIn });
      },
      (error: unknown) => {
        if (!isOver) setProblem(describeError(error));
      },
    );
    return () => {
      isOver = true;
    };
  }, [expiresIn]);
  const isReady = made !== null && made.expiresIn === expiresIn;
  return (
    <Dialog title="Share" wide onClose={onClose}>
      <p className="muted">Whoever has this link can play this {noun}, and nothing else, without a key.</p>
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
        {made !== null && problem === ''
          ? made.addresses.map(({ label, url }) => (
              <AddressRow key={label} label={label} url={isReady ? new URL(url, location.href).href : ''} />
            ))
          : problem === '' && <div className="skeleton" style={{ height: 32 }} />}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
