import { Gauge } from 'lucide-react';
import type { ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import { useMenu } from '../shell/use-menu.ts';
import type { Player } from './player.ts';

/** Rates of the player itself: the pictures come sooner or later, each as it is. */
export const RATES: readonly number[] = [0.5, 1, 2, 4, 8, 16];
/** Speeds of the playlist: a day in minutes, every picture shown. */
const TIMELAPSES: readonly number[] = [5, 30, 60, 120, 300];

/** Chooses how fast it plays. */
export function SpeedMenu({ player }: { readonly player: Player }): ReactElement {
  const { rate, speed } = useStore(player.state);
  const menu = useMenu();
  const choose = (run: () => void): void => {
    run();
    menu.close();
  };
  const label = speed === 1 ? `${rate}×` : `${speed}×${rate === 1 ? '' : ` · ${rate}×`}`;
  return (
    <div ref={menu.box} className="menu-box" onKeyDown={menu.onKeyDown}>
      <button
        type="button"
        className="button quiet speed-button"
        data-changed={rate !== 1 || speed !== 1}
        aria-haspopup="menu"
        aria-expanded={menu.isOpen}
        aria-controls={menu.id}
        aria-label={`Speed, ${label}`}
        title="Speed (J, L)"
        onClick={menu.toggle}
      >
        <Gauge aria-hidden />
        <span>{label}</span>
      </button>
      {menu.isOpen && (
        <div id={menu.id} className="menu" role="menu" aria-label="Speed">
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
