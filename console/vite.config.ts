import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where a server runs while the console is being worked on (`vite console`). */
const developmentServer = 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // hls.js alone is above Vite's default; it is a chunk of its own that only a page with a player loads.
    chunkSizeWarningLimit: 650,
  },
  server: {
    proxy: Object.fromEntries(['/v1', '/play', '/docs', '/openapi.json'].map((path) => [path, developmentServer])),
  },
});
