// Small pictures from the server, each with a place for what cannot be shown.
import { h, icon } from './dom.js';
import { url } from './api.js';
import { t } from './text.js';

/** In place of a picture that cannot be read the server sends one of a single pixel: an error would stand in the console. */
const isBlank = (image) => image.naturalWidth === 1 && image.naturalHeight === 1;

/** The address of a thumbnail below ./api/, at most `size` pixels wide and high. */
export const thumbnailUrl = (path, size) => `${url(path)}&size=${size}&blank=1`;

/** An image of a thumbnail; what cannot be shown becomes a box that says so. attrs: of the image. */
export function thumbnail(path, size, attrs = {}) {
  const image = h('img', { alt: '', decoding: 'async', draggable: 'false', ...attrs, onload: () => isBlank(image) && missing(), onerror: missing });
  function missing() { image.replaceWith(h('span', { class: `pic-missing ${attrs.class ?? ''}`, role: 'img', 'aria-label': t('This picture cannot be shown.'), title: t('This picture cannot be shown.'), 'data-role': 'picture-missing' }, icon('image'), h('span', { class: 'pic-words' }, t('cannot be shown')))); }
  image.src = thumbnailUrl(path, size);
  return image;
}

/** Show in `image`, or in `box` beside it that there is nothing to show. */
export function showOrTell(image, box) {
  const tell = (there) => { image.hidden = !there; box.hidden = there; };
  image.addEventListener('load', () => tell(!isBlank(image)));
  image.addEventListener('error', () => tell(false));
}
