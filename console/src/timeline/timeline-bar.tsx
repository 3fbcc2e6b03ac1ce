import { ArrowLeftToLine, ArrowRightToLine, BoxSelect, Minus, Plus, Scissors, type LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import { JumpTo } from '../camera/jump-to.tsx';
import { SelectionBar } from '../camera/selection-bar.tsx';
import type { CameraModel } from '../camera/camera-model.ts';
import { zone } from '../shell/preferences.ts';
import { clockTime, dayName } from '../time/format.ts';
import { spanOf } from './viewport.ts';

const SPANS: readonly (readonly [string, number])[] = [
  ['1 h', 3_600_000],
  ['6 h', 21_600_000],
  ['24 h', 86_400_000],
];

const ENDS: readonly (readonly ['from' | 'to', string, string, LucideIcon])[] = [
  ['from', 'In', 'The picture on screen is the first of the selection (I)', ArrowLeftToLine],
  ['to', 'Out', 'The picture on screen is the last of the selection (O)', ArrowRightToLine],
];

/** What a {@link TimelineBar} acts on. */
export interface TimelineBarProps {
  readonly model: CameraModel;
  /** Marks the selection. */
  readonly onMark: () => void;
  /** Makes a clip of the selection. */
  readonly onClip: () => void;
}

/** What stands above the timeline: where it looks, how far, and the way to a typed time. */
export function TimelineBar({ model, onMark, onClip }: TimelineBarProps): ReactElement {
  const selection = useStore(model.selection);
  const view = useStore(model.view);
  const selecting = useStore(model.selecting);
  const shownZone = useStore(zone);
  const span = spanOf(view);
  const nowMs = model.feed.nowMs();
  const sameDay = dayName(view.fromMs, nowMs, shownZone) === dayName(view.toMs, nowMs, shownZone);
  return (
    <div className="timeline-bar">
      {selection !== null ? (
        <SelectionBar model={model} selection={selection} onMark={onMark} onClip={onClip} />
      ) : (
        <p className="timeline-range">
          <strong>{dayName(view.fromMs, nowMs, shownZone)}</strong> {clockTime(view.fromMs, shownZone, 'minute')} –{' '}
          {!sameDay && <strong>{dayName(view.toMs, nowMs, shownZone)} </strong>}
          {clockTime(view.toMs, shownZone, 'minute')}
        </p>
      )}
      <div className="timeline-tools">
        <JumpTo model={model} />
        <div className="segmented range-ends" role="group" aria-label="Mark a range">
          {ENDS.map(([end, label, title, Icon]) => (
            <button key={end} type="button" aria-label={label} title={title} onClick={() => model.marks.mark(end)}>
              <Icon aria-hidden />
              <span>{label}</span>
            </button>
          ))}
        </div>
        <button
          type="button"
          className="button select-button"
          aria-pressed={selecting}
          title="Drag to select a stretch (or hold Shift)"
          onClick={() => model.selecting.set(!selecting)}
        >
          <BoxSelect aria-hidden />
          <span>Select</span>
        </button>
        {model.isKept && selection === null && (
          <button type="button" className="button" title="Make a clip of all of it (C)" onClick={onClip}>
            <Scissors aria-hidden /> <span>Clip all</span>
          </button>
        )}
        {!model.isKept && (
          <div className="segmented spans" role="group" aria-label="Show">
            {SPANS.map(([label, length]) => (
              <button
                key={label}
                type="button"
                aria-pressed={Math.abs(span - length) < length * 0.01}
                onClick={() => model.showSpan(length)}
              >
                {label}
              </button>
            ))}
          </div>
        )}
        <div className="zoom-buttons">
          <button
            type="button"
            className="icon-button"
            aria-label="Zoom out"
            title="Zoom out (−)"
            onClick={() => model.zoom(1.6)}
          >
            <Minus aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label="Zoom in"
            title="Zoom in (+)"
            onClick={() => model.zoom(1 / 1.6)}
          >
            <Plus aria-hidden />
          </button>
        </div>
      </div>
    </div>
  );
}
