import {
  Archive,
  CircleDot,
  Clapperboard,
  Ellipsis,
  LayoutGrid,
  Router,
  Scissors,
  Webhook,
  type LucideIcon,
} from 'lucide-react';
import type { ReactElement } from 'react';
import { Link, type Route } from './router.tsx';
import { useMenu } from './use-menu.ts';

interface Part {
  readonly href: string;
  readonly name: string;
  readonly icon: LucideIcon;
  /** The pages that belong to it. */
  readonly pages: readonly Route['page'][];
  /** Where there is no room for all, it is behind "More". */
  readonly isRare?: boolean;
}

const PARTS: readonly Part[] = [
  { href: '/', name: 'Cameras', icon: LayoutGrid, pages: ['wall', 'camera'] },
  { href: '/recordings', name: 'Recordings', icon: CircleDot, pages: ['recordings', 'recording'] },
  { href: '/clips', name: 'Clips', icon: Scissors, pages: ['clips', 'clip'] },
  { href: '/archives', name: 'Archives', icon: Archive, pages: ['archives', 'archive'], isRare: true },
  { href: '/assets', name: 'Assets', icon: Clapperboard, pages: ['assets', 'asset'] },
  { href: '/edges', name: 'Edges', icon: Router, pages: ['edges'], isRare: true },
  { href: '/webhooks', name: 'Webhooks', icon: Webhook, pages: ['webhooks'], isRare: true },
];

/** The parts of the console: beside the name, and on a phone at the thumb. */
export function Nav({ route }: { readonly route: Route }): ReactElement {
  const menu = useMenu();
  const rare = PARTS.filter(({ isRare }) => isRare === true);
  const isHere = ({ pages }: Part): 'page' | undefined => (pages.includes(route.page) ? 'page' : undefined);
  return (
    <nav className="app-nav" aria-label="Main">
      {PARTS.map((part) => (
        <Link key={part.href} href={part.href} data-rare={part.isRare} aria-current={isHere(part)}>
          <part.icon aria-hidden />
          <span>{part.name}</span>
        </Link>
      ))}
      <div ref={menu.box} className="app-more" onKeyDown={menu.onKeyDown}>
        <button
          type="button"
          aria-haspopup="menu"
          aria-expanded={menu.isOpen}
          aria-controls={menu.id}
          data-here={rare.some((part) => isHere(part) !== undefined)}
          onClick={menu.toggle}
        >
          <Ellipsis aria-hidden />
          <span>More</span>
        </button>
        {menu.isOpen && (
          <div id={menu.id} className="app-more-menu" role="menu" aria-label="More">
            {rare.map((part) => (
              <Link
                key={part.href}
                href={part.href}
                role="menuitem"
                aria-current={isHere(part)}
                onClick={() => menu.close()}
              >
                <part.icon aria-hidden />
                <span>{part.name}</span>
              </Link>
            ))}
          </div>
        )}
      </div>
    </nav>
  );
}
