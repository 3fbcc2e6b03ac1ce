import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './shell/app.tsx';
import { followTheme } from './shell/preferences.ts';
import './styles/base.css';
import './styles/shell.css';
import './styles/wall.css';

followTheme();
const root = document.querySelector('#root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
