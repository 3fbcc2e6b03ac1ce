import type { WallMs } from '../base/time.ts';
import type { Asset, FailureCause, Output, OutputFile, OutputSpec, Usage, WorkState } from '../timeline/asset.ts';
import type { Clip } from '../timeline/clip.ts';
import type { MediaDescription } from '../timeline/media-description.ts';
import type { Task } from '../timeline/task.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Segment } from '../timeline/segment.ts';
import type { Page, PageRequest } from './page.ts';
import type { NewWebhookEvent } from './webhook-store.ts';

/** An asset to be made; its stream (kind `asset`, same id) is made with it, without a `main` rendition. */
export type NewAsset = Pick<Asset, 'id' | 'tenant' | 'name' | 'referenceId' | 'source' | 'request' | 'priority'>;

/** A task to be made: waiting, never tried. */
export type NewTask = Pick<Task, 'id' | 'kind' | 'rank' | 'ordinal' | 'outputIds' | 'weight' | 'input' | 'maxAttempts'>;

/** An output to be made: queued. */
export interface NewOutput {
  readonly id: string;
  readonly name: string;
  readonly spec: OutputSpec;
  readonly totalChunks: number | null;
}

/** Everything of one job as of one moment. Tasks of earlier rounds are left out. */
export interface AssetJob {
  readonly asset: Asset;
  /** In order of making. */
  readonly outputs: readonly Output[];
  /** By rank, ordinal, id. */
  readonly tasks: readonly Task[];
}

/** Which assets. */
export interface AssetFilter {
  readonly tenant?: string;
  readonly referenceId?: string;
  readonly states?: readonly WorkState[];
  /** Part of the name or the reference, case-insensitively. */
  readonly query?: string;
}

/** A segment of an asset's rendition: appended behind what is there, on time, without a session. */
export interface AssetSegment extends Pick<
  Segment,
  'id' | 'startMs' | 'mediaStart90k' | 'duration90k' | 'objectKey' | 'sizeBytes' | 'sha256'
> {
  /** See {@link Segment}: bytes that hold the header and the first picture; null for audio and captions. */
  readonly keyframeBytes: number | null;
  /** The rendition's name: the output's id. Made with its first segment. */
  readonly outputId: string;
  /** Begun when it differs (by `initSha256`) from that of the rendition's newest segment. */
  readonly epoch: Pick<Epoch, 'id' | 'init' | 'initSha256' | 'codecs' | 'width' | 'height' | 'anchorMs'>;
}

/** What a decision about a job changes, all at once or not at all. */
export interface AssetChange {
  readonly asset?: Partial<
    Pick<Asset, 'name' | 'state' | 'cause' | 'round' | 'startedAtMs' | 'playableAtMs' | 'endedAtMs' | 'priority'> & {
      readonly media: MediaDescription | null;
    }
  >;
  readonly newOutputs?: readonly NewOutput[];
  readonly outputs?: readonly OutputChange[];
  /** Rows of outputs to be removed with their renditions, epochs and segments. Their objects are the caller's to remove, afterwards. */
  readonly removeOutputs?: readonly string[];
  /** Outputs that stay, without their renditions: epochs and segments go. Their objects are the caller's to remove, afterwards. */
  readonly removeRenditions?: readonly string[];
  readonly newTasks?: readonly NewTask[];
  /** Waiting and running ones become cancelled: the worker's next renewal or finish says `lost`. */
  readonly cancelTasks?: readonly string[];
  /** Tasks that are done and whose results are needed no more: {@link AssetStore.jobToSettle} leaves them out from now on. */
  readonly takenIn?: readonly string[];
  /** More is to be decided: the asset stays, or comes, among {@link AssetStore.unsettledAssets}. Left out: nothing is until a task ends. */
  readonly isUnfinished?: boolean;
  /** Segments in order, to be published. */
  readonly segments?: readonly AssetSegment[];
  readonly events?: readonly NewWebhookEvent[];
}

/** A change of one output. */
export type OutputChange = { readonly id: string } & Partial<{
  readonly state: WorkState;
  readonly cause: FailureCause | null;
  readonly publishedChunks: number;
  readonly totalChunks: number | null;
  readonly files: readonly OutputFile[];
  readonly startedAtMs: WallMs | null;
  readonly endedAtMs: WallMs | null;
}>;

/** The right to do one try of a task, and what it works for. */
export type TaskLease = AssetTaskLease | ClipTaskLease;

/** The right to do one try of a clip's task. */
export interface ClipTaskLease {
  readonly task: Task;
  readonly clip: Clip;
}

/** The right to do one try of a task of an asset. */
export interface AssetTaskLease {
  readonly task: Task;
  readonly clip?: never;
  readonly asset: Asset;
  /** The outputs that the task names, as they were when it was claimed. */
  readonly outputs: readonly Output[];
}

/** How a try ended. */
export type TaskOutcome =
  | {
      readonly kind: 'done';
      readonly result: unknown;
      readonly usage: Usage;
      readonly shares: Readonly<Record<string, number>> | null;
    }
  | {
      readonly kind: 'failed';
      readonly cause: FailureCause;
      readonly usage: Usage;
      /** When to try again; null: never. Past `maxAttempts` it fails for good whatever is said here. */
      readonly retryAtMs: WallMs | null;
    }
  /** Handed back unharmed, because the worker stops or there is something to wait for first, which `wait` tells: the try does not count. */
  | {
      readonly kind: 'returned';
      readonly usage: Usage;
      readonly wait?: { readonly untilMs: WallMs; readonly cause: FailureCause };
    };

/**
 * Assets, their outputs, and the tasks of their jobs; clips have tasks too. Besides the {@link Catalog}'s contract:
 *
 * - Decisions are made outside by whoever reads the job, and applied by compare-and-swap on {@link Asset.version}; a lost race changes nothing.
 * - A task is held under a lease by one worker at a time. Its attempt number is the fencing token: nothing of an older try has any effect.
 * - Every change of an asset raises the change feed for its stream's id; that of a clip for the clip's id, in this process.
 */
export interface AssetStore {
  /** Makes the asset, its stream and its first tasks, and publishes `events`. @throws conflict when the id is taken */
  createAsset(asset: NewAsset, tasks: readonly NewTask[], events: readonly NewWebhookEvent[]): Promise<Asset>;
  /** @throws not_found */
  getAsset(id: string): Promise<Asset>;
  /** Newest first. */
  listAssets(filter: AssetFilter, page: PageRequest): Promise<Page<Asset>>;
  /** In order of making, progress and usage summed from their tasks (all rounds). One entry an asset that exists. */
  outputsOf(assetIds: readonly string[]): Promise<ReadonlyMap<string, readonly Output[]>>;
  /** One asset with its outputs and the tasks of its round, as of one moment. @throws not_found */
  assetJob(id: string): Promise<AssetJob>;
  /**
   * As {@link AssetStore.assetJob}, but no more than a decision needs, for a job of many hours has thousands of tasks: those that were taken in are left out,
   * and of those that are not done the input, which is null. @throws not_found
   */
  jobToSettle(id: string): Promise<AssetJob>;
  /**
   * Applies a decision if the asset is still at `version`; answers the new asset, or null when it has moved on (read and decide again).
   * A raised round cancels what still waits or runs of earlier ones, and progress counts from its tasks alone.
   * Segments lie behind the end of their rendition, else `conflict`: a chunk is published once. An output that is named and is not there is `not_found`, a
   * name or an id that is taken `conflict`; nothing is changed then. @throws not_found when the asset is gone
   * Marks the asset as settled: {@link AssetStore.unsettledAssets} no longer names it until a task ends or a lease is lost for good,
   * unless the change says otherwise.
   */
  settleAsset(id: string, version: number, change: AssetChange): Promise<Asset | null>;
  /** Assets about which something is to be decided: a task ended, or they were just made. Oldest first. */
  unsettledAssets(limit: number): Promise<readonly string[]>;
  /** Says that something is to be decided about an asset, though no task ended: for the doctor. @throws not_found */
  unsettleAsset(id: string): Promise<void>;
  /** Removes the asset and its stream with all rows. The caller removes the objects afterwards. @throws not_found */
  deleteAsset(id: string, events: readonly NewWebhookEvent[]): Promise<void>;

  /**
   * Takes the next task that may run now: highest priority of the asset (a clip has 0), then lowest rank, then the clip that waits longest, then the asset with the fewest running tasks, then
   * the one whose turn was longest ago (never: before all), then the oldest asset, then the lowest ordinal. Null: there is none. Counts a try and sets the lease.
   */
  claimTask(request: {
    readonly workerId: string;
    readonly leaseMs: number;
    readonly kinds?: readonly Task['kind'][];
  }): Promise<TaskLease | null>;
  /** Extends the lease and notes progress. `lost`: cancelled, taken by another or gone; stop at once. */
  renewTask(
    lease: { readonly taskId: string; readonly attempt: number },
    renewal: { readonly leaseMs: number; readonly progress: number },
  ): Promise<'held' | 'lost'>;
  /**
   * Ends a try. False: the lease was lost before, and nothing was changed but the usage, which is added all the same if the task still exists. That it is
   * done may be said again, as after an answer that was lost: true, and nothing changes.
   */
  finishTask(lease: { readonly taskId: string; readonly attempt: number }, outcome: TaskOutcome): Promise<boolean>;
  /** Takes back tasks whose lease ran out: to wait again, or failed (`engine_failed`) when no try is left. Answers how many. */
  expireTasks(): Promise<number>;
  /** How many tasks wait and run, for metrics. */
  taskCounts(): Promise<{ readonly waiting: number; readonly running: number }>;
}
