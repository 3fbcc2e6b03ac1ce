/** hls.js without audio tracks, subtitles, DRM and advertisements: two thirds of its size; camera pictures need none of them. */
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
