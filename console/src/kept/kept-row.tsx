import { Film } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';
import { pictureUrl } from '../api/client.ts';
import { ServerPicture } from '../assets/server-picture.tsx';
import { Link } from '../shell/router.tsx';

/** What a {@link KeptRow} shows. */
export interface KeptRowProps {
  readonly href: string;
  readonly streamId: string;
  /** The moment whose picture stands for it. */
  readonly pictureMs: number;
  readonly title: string;
  /** Whether it is being recorded. */
  readonly isRunning?: boolean;
  /** Under the title: what it is of, how long, how large. */
  readonly facts: readonly ReactNode[];
  /** Below the facts: how far it is. */
  readonly more?: ReactNode;
  readonly tools: ReactNode;
}

/** One kept thing in a list: its first picture, what it is, and what can be done with it. */
export function KeptRow(props: KeptRowProps): ReactElement {
  const { href, streamId, pictureMs, title, isRunning = false, facts, more, tools } = props;
  return (
    <li className="kept-row" data-running={isRunning}>
      <Link href={href} className="kept-picture" tabIndex={-1} aria-hidden>
        <ServerPicture url={pictureUrl(streamId, pictureMs, 240)} alt="">
          <Film aria-hidden />
        </ServerPicture>
        {isRunning && <span className="rec-badge">REC</span>}
      </Link>
      <div className="kept-text">
        <h2>
          <Link href={href}>{title}</Link>
        </h2>
        <p className="kept-facts">
          {facts.map((fact, index) => (
            // The facts of a row keep their places.
            <span key={index}>{fact}</span>
          ))}
        </p>
        {more}
      </div>
      <div className="kept-tools">{tools}</div>
    </li>
  );
}
