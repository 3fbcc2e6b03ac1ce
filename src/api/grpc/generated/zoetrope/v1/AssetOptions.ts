// Original file: proto/zoetrope/v1/assets.proto

import type { OutputOptions as _zoetrope_v1_OutputOptions, OutputOptions__Output as _zoetrope_v1_OutputOptions__Output } from '../../zoetrope/v1/OutputOptions.ts';

export interface AssetOptions {
  'name'?: (string);
  'referenceId'?: (string);
  'priority'?: (number);
  'webhookUrl'?: (string);
  'tenant'?: (string);
  'outputs'?: (_zoetrope_v1_OutputOptions | null);
  '_name'?: "name";
  '_referenceId'?: "referenceId";
  '_priority'?: "priority";
  '_webhookUrl'?: "webhookUrl";
  '_tenant'?: "tenant";
}

export interface AssetOptions__Output {
  'name'?: (string);
  'referenceId'?: (string);
  'priority'?: (number);
  'webhookUrl'?: (string);
  'tenant'?: (string);
  'outputs'?: (_zoetrope_v1_OutputOptions__Output);
  '_name'?: "name";
  '_referenceId'?: "referenceId";
  '_priority'?: "priority";
  '_webhookUrl'?: "webhookUrl";
  '_tenant'?: "tenant";
}
