import { Component, type ReactElement, type ReactNode } from 'react';
import { describeError } from '../api/problem.ts';

interface BoundaryProps {
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly error: unknown;
}

/** Shows what went wrong instead of an empty page. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: null };

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    return error === null ? this.props.children : <Broken error={error} />;
  }
}

function Broken({ error }: { readonly error: unknown }): ReactElement {
  return (
    <div className="notice" role="alert">
      <h1>This page broke</h1>
      <p className="muted">{describeError(error)}</p>
      <p className="muted">The server and its pictures are not affected.</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Load it again
      </button>
    </div>
  );
}
