const UPLOADS = /^\/v1\/(uploads|edges\/[^/]+\/segments\/)/;

/** Whether a request's body takes as long as it takes: files, and what edges send. */
export function isUpload(url: string): boolean {
  return UPLOADS.test(url);
}
