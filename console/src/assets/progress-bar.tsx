import type { CSSProperties, ReactElement } from 'react';
import type { WorkState } from '../api/asset-types.ts';
import { percent } from './quantities.ts';
import '../styles/progress.css';

/** What a {@link ProgressBar} shows. */
export interface ProgressBarProps {
  /** 0–1; null: it goes on, but nobody can say how far. */
  readonly part: number | null;
  readonly label: string;
  readonly tone?: 'accent' | 'good' | 'bad' | 'quiet';
}

/** How far something is. */
export function ProgressBar({ part, label, tone = 'accent' }: ProgressBarProps): ReactElement {
  return (
    <span
      className="progress"
      data-tone={tone}
      data-unknown={part === null}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={part === null ? undefined : Math.floor(part * 100)}
      aria-valuetext={part === null ? undefined : percent(part)}
      style={{ '--part': part ?? 0.3 } as CSSProperties}
    />
  );
}

const WORDS: Readonly<Record<WorkState, string>> = {
  queued: 'Queued',
  probing: 'Looking into it',
  transcoding: 'Transcoding',
  packaging: 'Packaging',
  ready: 'Ready',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** The name of a state for people. */
export function stateWord(state: WorkState): string {
  return WORDS[state];
}

/** A state as a small badge. */
export function StateBadge({ state }: { readonly state: WorkState }): ReactElement {
  return (
    <span className="state-badge" data-state={state}>
      {WORDS[state]}
    </span>
  );
}
