import { Settings2 } from 'lucide-react';
import type { ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { ChoiceMenu } from '../film/choice-menu.tsx';

/** Chooses one of the pictures that a stream comes in; nothing where there is one. */
export function QualityMenu({ model }: { readonly model: CameraModel }): ReactElement | null {
  const qualities = useStore(model.quality.offered);
  const chosen = useStore(model.quality.chosen);
  if (qualities.length === 0) return null;
  const now = qualities.find(({ rendition }) => rendition === chosen);
  return (
    <ChoiceMenu
      title="Quality"
      icon={Settings2}
      label={now?.name ?? ''}
      isChanged={chosen !== null}
      choices={qualities.map(({ rendition, name, detail }) => ({
        key: rendition ?? '',
        name,
        detail,
        isChosen: rendition === chosen,
      }))}
      onChoose={(key) => model.quality.choose(key === '' ? null : key)}
    />
  );
}
