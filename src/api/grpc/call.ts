import {
  Metadata,
  status,
  type sendUnaryData,
  type ServerErrorResponse,
  type ServerReadableStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Access, Principal } from '../../access/access.ts';
import { requireScope } from '../../access/permission.ts';
import { ERROR_CATALOGUE, isZoetropeError, ZoetropeError, type ErrorCode } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Scope } from '../../catalog/catalog.ts';

/** The trailer that holds the server's own error code. */
export const CODE_TRAILER = 'zoetrope-code';

/** What a call needs around it. */
export interface CallDeps {
  readonly access: Pick<Access, 'authenticate'>;
  readonly logger: Logger;
}

/** Who calls, if that is somebody with one of these scopes. @throws unauthenticated, permission_denied */
export async function principalOf(
  metadata: Metadata,
  scopes: readonly Scope[],
  access: CallDeps['access'],
): Promise<Principal> {
  const [header] = metadata.get('authorization');
  const principal = await access.authenticate(header === undefined ? undefined : String(header));
  requireScope(principal, ...scopes);
  return principal;
}

/** A handler of a call with one answer: whoever calls is known, and what is thrown becomes a status. */
export function answering<Request, Response>(
  deps: CallDeps,
  scopes: readonly Scope[],
  handle: (request: Request, principal: Principal) => Promise<Response>,
): (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => void {
  return (call, done) => {
    const answer = async (): Promise<Response> =>
      handle(call.request, await principalOf(call.metadata, scopes, deps.access));
    void tell(answer(), done, deps.logger);
  };
}

/** A handler of a call that sends a stream and gets one answer. */
export function receiving<Request, Response>(
  deps: CallDeps,
  scopes: readonly Scope[],
  handle: (parts: AsyncIterable<Request>, principal: Principal) => Promise<Response>,
): (call: ServerReadableStream<Request, Response>, done: sendUnaryData<Response>) => void {
  return (call, done) => {
    const answer = async (): Promise<Response> =>
      handle(partsOf(call), await principalOf(call.metadata, scopes, deps.access));
    void tell(answer(), done, deps.logger);
  };
}

async function tell<Response>(answer: Promise<Response>, done: sendUnaryData<Response>, logger: Logger): Promise<void> {
  let response: Response;
  try {
    response = await answer;
  } catch (error) {
    done(toStatus(error, logger));
    return;
  }
  done(null, response);
}

/** What is sent, until it ends; a client that goes away in the middle is an error, not an end. */
async function* partsOf<Request, Response>(call: ServerReadableStream<Request, Response>): AsyncGenerator<Request> {
  for await (const part of call) yield part as Request;
  if (call.cancelled) throw new ZoetropeError('cancelled', 'The client broke the call off.');
}

/** The catalogue's number as the library's status: the same numbers, told apart by type alone. */
function statusOf(code: ErrorCode): status {
  const number: number = ERROR_CATALOGUE[code].grpc;
  return Object.values(status).find((one): one is status => Number(one) === number) ?? status.UNKNOWN;
}

/** What a client is told of anything thrown: the cause of its own mistakes, and of ours no more than that there was one. */
export function toStatus(error: unknown, logger: Logger): ServerErrorResponse & { readonly metadata: Metadata } {
  const metadata = new Metadata();
  if (!isZoetropeError(error) || error.code === 'internal') {
    logger.error({ err: error }, 'a call failed');
    metadata.set(CODE_TRAILER, 'internal');
    const details = 'The server made a mistake; its log says which.';
    return Object.assign(new Error(details), { code: status.INTERNAL, details, metadata });
  }
  metadata.set(CODE_TRAILER, error.code);
  return Object.assign(new Error(error.message), {
    code: statusOf(error.code),
    details: error.message,
    metadata,
  });
}
