import { useEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { ownAddress } from '../api/own-address.ts';
import { loadPicture, type Picture } from '../api/pictures.ts';
import { sessionKey } from '../api/session-key.ts';
import { useStore } from '../api/store.ts';
import '../styles/server-picture.css';

/** What a {@link ServerPicture} shows. */
export interface ServerPictureProps {
  readonly url: string | null;
  readonly alt: string;
  /** Shown while there is none. */
  readonly children?: ReactNode;
}

/** A picture of the server that needs the tab's key, which an `img` cannot send. */
function KeyedPicture({ url, alt, children }: ServerPictureProps & { readonly url: string }): ReactElement {
  const [picture, setPicture] = useState<Picture | null>(null);
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    // Its own element has no box: it lies in its parent's.
    const element = place.current?.parentElement ?? null;
    if (element === null) return undefined;
    const loading = new AbortController();
    let loaded: Picture | null = null;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        loadPicture(url, loading.signal).then(
          (ready) => {
            loaded = ready;
            if (loading.signal.aborted) ready.release();
            else setPicture(ready);
          },
          // Without a picture its place stays as it is.
          () => undefined,
        );
      },
      { rootMargin: '200px' },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      loading.abort();
      loaded?.release();
    };
  }, [url]);
  return (
    <span ref={place} className="server-picture">
      {picture === null ? children : <img src={picture.src} alt={alt} draggable={false} />}
    </span>
  );
}

/** A picture of the server, loaded when it is about to be seen. */
export function ServerPicture(props: ServerPictureProps): ReactElement {
  const { alt, children } = props;
  const url = props.url === null ? null : ownAddress(props.url);
  const key = useStore(sessionKey);
  const [missing, setMissing] = useState<string | null>(null);
  if (url === null || missing === url) return <span className="server-picture">{children}</span>;
  if (key !== null) return <KeyedPicture key={url} {...props} url={url} />;
  return (
    <span className="server-picture">
      <img src={url} alt={alt} loading="lazy" decoding="async" draggable={false} onError={() => setMissing(url)} />
    </span>
  );
}
