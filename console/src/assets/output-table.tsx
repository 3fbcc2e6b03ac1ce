import { X } from 'lucide-react';
import type { ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import { isFinal, type AssetJson, type OutputJson } from '../api/asset-types.ts';
import { useNow } from '../time/now.ts';
import { attempt } from './asset-actions.tsx';
import { outputSpeed, outputText } from './facts.ts';
import { ProgressBar, StateBadge } from './progress-bar.tsx';
import { bytes, cpuTime, percent, speedText, timeLeft } from './quantities.ts';

function Row({ asset, output }: { readonly asset: AssetJson; readonly output: OutputJson }): ReactElement {
  const over = isFinal(output.state) || isFinal(asset.state);
  const now = useNow(!over);
  const speed = outputSpeed(output, asset.durationMs, now);
  const showsSpeed = speed !== null && (output.kind === 'video' || output.kind === 'audio');
  const cancel = (): void => {
    void attempt('It could not be cancelled:', () => assetApi.cancelOutput(asset.id, output.id));
  };
  return (
    <tr data-state={output.state}>
      <th scope="row">
        <span className="output-name">{output.name}</span>
        <span className="output-how muted">{outputText(output)}</span>
        {output.cause !== null && <span className="output-cause">{output.cause.message}</span>}
      </th>
      <td className="output-state">
        {output.state === 'ready' || over ? (
          <StateBadge state={output.state} />
        ) : (
          <span className="output-progress">
            <ProgressBar part={output.progress} label={output.name} />
            <span className="job-percent">{percent(output.progress)}</span>
          </span>
        )}
      </td>
      <td data-label="Left" className="output-number">
        {output.etaSeconds === null || over ? (
          <span className="faint">–</span>
        ) : (
          timeLeft(output.etaSeconds).replace(' left', '')
        )}
      </td>
      <td data-label="Speed" className="output-number">
        {showsSpeed ? speedText(speed) : <span className="faint">–</span>}
      </td>
      <td data-label="CPU" className="output-number">
        {output.cpuSeconds === 0 ? <span className="faint">–</span> : cpuTime(output.cpuSeconds)}
      </td>
      <td data-label="Memory" className="output-number">
        {output.peakMemoryBytes === 0 ? <span className="faint">–</span> : bytes(output.peakMemoryBytes)}
      </td>
      <td className="output-tools">
        {!over && (
          <button
            type="button"
            className="icon-button"
            aria-label={`Cancel ${output.name}`}
            title="Cancel this output"
            onClick={cancel}
          >
            <X aria-hidden />
          </button>
        )}
      </td>
    </tr>
  );
}

/** Every output of an asset: how far it is and what it has cost. */
export function OutputTable({ asset }: { readonly asset: AssetJson }): ReactElement {
  if (asset.outputs.length === 0) {
    return (
      <p className="outputs-none muted">
        {isFinal(asset.state)
          ? 'It came to no outputs.'
          : 'Outputs show here as soon as the file has been looked into.'}
      </p>
    );
  }
  const cpuSeconds = asset.outputs.reduce((sum, output) => sum + output.cpuSeconds, 0);
  const peakBytes = Math.max(...asset.outputs.map((output) => output.peakMemoryBytes));
  return (
    <table className="outputs">
      <thead>
        <tr>
          <th scope="col">Output</th>
          <th scope="col">State</th>
          <th scope="col">Left</th>
          <th scope="col">Speed</th>
          <th scope="col">CPU</th>
          <th scope="col">Peak memory</th>
          <th scope="col">
            <span className="visually-hidden">Cancel</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {asset.outputs.map((output) => (
          <Row key={output.id} asset={asset} output={output} />
        ))}
      </tbody>
      {cpuSeconds > 0 && (
        <tfoot>
          <tr>
            <th scope="row">Together</th>
            <td />
            <td />
            <td />
            <td data-label="CPU" className="output-number">
              {cpuTime(cpuSeconds)}
            </td>
            <td data-label="Memory" className="output-number">
              {bytes(peakBytes)}
            </td>
            <td />
          </tr>
        </tfoot>
      )}
    </table>
  );
}
