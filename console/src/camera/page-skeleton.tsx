import type { ReactElement } from 'react';
import '../styles/camera.css';

/** The shape of a camera's page while its stream is asked for. */
export function PageSkeleton(): ReactElement {
  return (
    <div className="camera-page" aria-busy="true" aria-label="Loading">
      <div className="camera-header">
        <div className="skeleton" style={{ width: 180, height: 20 }} />
      </div>
      <div className="stage">
        <div className="player-picture" />
        <div className="controls" />
      </div>
      <div className="timeline">
        <div className="skeleton" style={{ height: 160 }} />
      </div>
      <div className="markers" />
    </div>
  );
}
