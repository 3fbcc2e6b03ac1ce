import type { AssetOptions__Output } from './generated/zoetrope/v1/AssetOptions.ts';
import type { OutputOptions__Output } from './generated/zoetrope/v1/OutputOptions.ts';

/** Options of an asset as REST has them, for the same checks: what was not sent is left out, and an empty list is not there. */
export function plainOptions(options: AssetOptions__Output | null | undefined): Readonly<Record<string, unknown>> {
  if (options === null || options === undefined) return {};
  const { outputs, ...rest } = options;
  return { ...sent(rest), ...(outputs === null || outputs === undefined ? {} : { outputs: plainOutputs(outputs) }) };
}

function plainOutputs({
  video,
  thumbnails,
  watermark,
  ...rest
}: OutputOptions__Output): Readonly<Record<string, unknown>> {
  return {
    ...sent(rest),
    ...(video.length === 0 ? {} : { video: video.map(sent) }),
    ...(thumbnails.length === 0 ? {} : { thumbnails: thumbnails.map(sent) }),
    ...(watermark === null || watermark === undefined ? {} : { watermark: sent(watermark) }),
  };
}

/** The fields that a message was sent with: the loader marks optional ones by a second, `_name`. */
function sent(message: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(message).filter(([name, value]) => !name.startsWith('_') && value !== undefined),
  );
}
