import { Gauge } from 'lucide-react';
import { useEffect, useId, useRef, useState, type ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import type { Player } from './player.ts';

/** Rates of the player itself: the pictures come sooner or later, each as it is. */
export const RATES: readonly number[] = [0.5, 1, 2, 4, 8, 16];
/** Speeds of the playlist: a day in minutes, every picture shown. */
const TIMELAPSES: readonly number[] = [5, 30, 60, 120, 300];

/** Chooses how fast it plays. */
export function SpeedMenu({ player }: { readonly player: Player }): ReactElement {
  const { rate, speed } = useStore(player.state);
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const menuId = useId();
  useEffect(() => {
    if (!open) return undefined;
    const onDown = (event: PointerEvent): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) setOpen(false);
    };
    window.addEventListener('pointerdown', onDown);
    box.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
    return () => window.removeEventListener('pointerdown', onDown);
  }, [open]);
  const choose = (run: () => void): void => {
    run();
    const byKeyboard = box.current?.querySelector('[role="menu"] :focus-visible') !== null;
    setOpen(false);
    if (byKeyboard) box.current?.querySelector<HTMLElement>('button')?.focus();
  };
  const label = speed === 1 ? `${rate}×` : `${speed}×${rate === 1 ? '' : ` · ${rate}×`}`;
  return (
    <div
      ref={box}
      className="menu-box"
      onKeyDown={(event) => {
        if (!open) return;
        const items = [...(box.current?.querySelectorAll<HTMLElement>('[role="menuitemradio"]') ?? [])];
        const at = items.findIndex((item) => item === document.activeElement);
        if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
        else if (event.key === 'ArrowUp') items.at(at - 1)?.focus();
        else if (event.key === 'Escape') choose(() => undefined);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <button
        type="button"
        className="button quiet speed-button"
        data-changed={rate !== 1 || speed !== 1}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={menuId}
        aria-label={`Speed, ${label}`}
        title="Speed (J, L)"
        onClick={() => setOpen(!open)}
      >
        <Gauge aria-hidden />
        <span>{label}</span>
      </button>
      {open && (
        <div id={menuId} className="menu" role="menu" aria-label="Speed">
          <p className="menu-title">Speed</p>
          {RATES.map((value) => (
            <button
              key={value}
              type="button"
              role="menuitemradio"
              aria-checked={speed === 1 && rate === value}
              onClick={() =>
                choose(() => {
                  player.setSpeed(1);
                  player.setRate(value);
                })
              }
            >
              {value === 1 ? 'Normal' : `${value}×`}
            </button>
          ))}
          <p className="menu-title">Timelapse</p>
          {TIMELAPSES.map((value) => (
            <button
              key={value}
              type="button"
              role="menuitemradio"
              aria-checked={speed === value}
              onClick={() =>
                choose(() => {
                  player.setSpeed(value);
                  player.play();
                })
              }
            >
              {value}×{' '}
              <span className="muted">
                1 h in {value >= 60 ? `${3600 / value} s` : `${Math.round(60 / value)} min`}
              </span>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
