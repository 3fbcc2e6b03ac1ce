import { Keyboard, Moon, Sun } from 'lucide-react';
import type { ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import { clockTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { zoneLabel } from '../time/zone.ts';
import { helpOpen } from './help-sheet.tsx';
import { Nav } from './nav.tsx';
import { colourChanges, isDark, toggleTheme, zone } from './preferences.ts';
import { Link, type Route } from './router.tsx';

/** The mark: a zoetrope's drum. */
export function Mark(): ReactElement {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden>
      <path d="M3 9v12c0 3.9 5.8 7 13 7s13-3.1 13-7V9z" className="mark-drum" />
      <ellipse cx="16" cy="9" rx="13" ry="5.5" className="mark-rim" />
      <ellipse cx="16" cy="9" rx="9.5" ry="3.5" className="mark-hole" />
      <path d="M6 16v7M11 18v7.5M16 18.5v7.5M21 18v7.5M26 16v7" className="mark-slits" />
    </svg>
  );
}

function WallClock(): ReactElement {
  const now = useNow();
  const shown = useStore(zone);
  const other = shown === 'utc' ? 'local time' : 'UTC';
  return (
    <button
      type="button"
      className="wall-clock"
      title={`All times are ${zoneLabel(now, shown)}. Click for ${other}.`}
      aria-label={`All times are ${zoneLabel(now, shown)}. Switch to ${other}.`}
      onClick={() => zone.set(shown === 'utc' ? 'local' : 'utc')}
    >
      <span className="wall-clock-time">{clockTime(now, shown)}</span>
      <span className="wall-clock-zone">{shown === 'utc' ? 'UTC' : `Local ${zoneLabel(now, shown)}`}</span>
    </button>
  );
}

/** The bar at the top of every page. */
export function Header({ route }: { readonly route: Route }): ReactElement {
  useStore(colourChanges);
  return (
    <header className="app-header">
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <Link href="/" className="brand" aria-label="Zoetrope, camera wall">
        <Mark />
        <span>Zoetrope</span>
      </Link>
      <Nav route={route} />
      <div className="app-header-end">
        <WallClock />
        <button
          type="button"
          className="icon-button keyboard-only"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={() => helpOpen.set(true)}
        >
          <Keyboard aria-hidden />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={isDark() ? 'Light theme' : 'Dark theme'}
          title={`${isDark() ? 'Light' : 'Dark'} theme (T)`}
          onClick={toggleTheme}
        >
          {isDark() ? <Sun aria-hidden /> : <Moon aria-hidden />}
        </button>
      </div>
    </header>
  );
}
