import { CornerDownRight } from 'lucide-react';
import { useId, useState, type FormEvent, type ReactElement } from 'react';
import { zone } from '../shell/preferences.ts';
import { listTime } from '../time/format.ts';
import { parseTime, type TypedTime } from '../time/parse-time.ts';
import type { CameraModel } from './camera-model.ts';

/** The id of the field, for the shortcut that goes to it. */
export const JUMP_FIELD = 'jump-to-time';

/** A field for a time in words; shows what it understood while one types. */
export function JumpTo({ model }: { readonly model: CameraModel }): ReactElement {
  const [typed, setTyped] = useState('');
  const [refused, setRefused] = useState(false);
  const hintId = useId();
  const nowMs = model.feed.nowMs();
  const time: TypedTime = parseTime(typed, {
    nowMs,
    playheadMs: model.player.playheadMs() ?? nowMs,
    fromMs: model.bounds().fromMs,
    zone: zone.get(),
  });
  const understood = time === null ? '' : time.kind === 'live' ? 'Live' : listTime(time.atMs, nowMs, zone.get());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (time === null) {
      setRefused(typed.trim() !== '');
      return;
    }
    if (time.kind === 'live') model.goLive();
    else model.seek(Math.min(time.atMs, nowMs));
    setTyped('');
    document.querySelector<HTMLElement>('[role="slider"]')?.focus({ preventScroll: true });
  };
  return (
    <form className="jump" onSubmit={submit}>
      <CornerDownRight aria-hidden />
      <input
        id={JUMP_FIELD}
        type="text"
        inputMode="text"
        autoComplete="off"
        spellCheck={false}
        placeholder="Jump to time"
        aria-label="Jump to time"
        aria-describedby={hintId}
        aria-invalid={refused}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setRefused(false);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setTyped('');
          setRefused(false);
          event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden>G</kbd>
      <output id={hintId} className="jump-hint" data-shown={typed !== ''} data-bad={refused}>
        {typed === ''
          ? ''
          : refused
            ? 'Try 14:32, -10m or yesterday 18:00'
            : understood === ''
              ? '…'
              : `→ ${understood}`}
      </output>
    </form>
  );
}
