import { Suspense, useEffect, type ReactElement } from 'react';
import { keyWanted } from '../api/session-key.ts';
import { useStore } from '../api/store.ts';
import { WallPage } from '../wall/wall-page.tsx';
import { ConnectionBanner, SignIn } from './banners.tsx';
import { Boundary } from './boundary.tsx';
import { Header } from './header.tsx';
import { HelpSheet, helpOpen } from './help-sheet.tsx';
import { isTyping } from './keys.ts';
import { lazyPage } from './lazy-page.ts';
import { toggleTheme } from './preferences.ts';
import { Link, useRoute, type Route } from './router.tsx';
import { Toasts } from './toasts.tsx';

const CameraPage = lazyPage(() => import('../camera/camera-page.tsx'));
const ArchivePage = lazyPage(() => import('../archives/archive-page.tsx'));
const ArchivesPage = lazyPage(() => import('../archives/archives-page.tsx'));
const RecordingPage = lazyPage(() => import('../recordings/recording-page.tsx'));
const RecordingsPage = lazyPage(() => import('../recordings/recordings-page.tsx'));
const ClipPage = lazyPage(() => import('../clips/clip-page.tsx'));
const ClipsPage = lazyPage(() => import('../clips/clips-page.tsx'));
const EdgesPage = lazyPage(() => import('../edges/edges-page.tsx'));
const AssetPage = lazyPage(() => import('../assets/asset-page.tsx'));
const AssetsPage = lazyPage(() => import('../assets/assets-page.tsx'));
const WebhooksPage = lazyPage(() => import('../webhooks/webhooks-page.tsx'));

function Page({ route }: { readonly route: Route }): ReactElement {
  switch (route.page) {
    case 'wall':
      return <WallPage />;
    case 'camera':
      return <CameraPage key={route.id} id={route.id} />;
    case 'archives':
      return <ArchivesPage />;
    case 'archive':
      return <ArchivePage key={route.id} id={route.id} />;
    case 'recordings':
      return <RecordingsPage />;
    case 'recording':
      return <RecordingPage key={route.id} id={route.id} />;
    case 'clips':
      return <ClipsPage />;
    case 'clip':
      return <ClipPage key={route.id} id={route.id} />;
    case 'edges':
      return <EdgesPage />;
    case 'assets':
      return <AssetsPage />;
    case 'asset':
      return <AssetPage key={route.id} id={route.id} />;
    case 'webhooks':
      return <WebhooksPage />;
    case 'nowhere':
      return (
        <div className="notice">
          <h1>Nothing here</h1>
          <p className="muted">
            There is no page at <code>{route.path}</code>.
          </p>
          <Link className="button" href="/">
            Back to the cameras
          </Link>
        </div>
      );
  }
}

/** The console. */
export function App(): ReactElement {
  const route = useRoute();
  const locked = useStore(keyWanted) !== 'no';
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event)) return;
      if (event.key === '?') helpOpen.set(!helpOpen.get());
      else if (event.key.toLowerCase() === 't' && !helpOpen.get()) toggleTheme();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <Header route={route} />
      <ConnectionBanner />
      <main id="main" className="app-main" tabIndex={-1}>
        {locked ? (
          <SignIn />
        ) : (
          <Boundary key={JSON.stringify(route)}>
            <Suspense fallback={<div className="page-loading" aria-busy="true" />}>
              <Page route={route} />
            </Suspense>
          </Boundary>
        )}
      </main>
      <HelpSheet />
      <Toasts />
    </>
  );
}
