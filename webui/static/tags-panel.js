// One picture, large, with its tags as chips that move, its caption as text, and what is wrong with it.
import { debounce, fill, h, icon } from './dom.js';
import { showOrTell, thumbnailUrl } from './pictures.js';
import { translated } from './messages.js';
import { t } from './text.js';
import { tagInput, tagsIn } from './tags-complete.js';
import { complain } from './notice.js';

const DRAG_STARTS_PX = 5;
let visits = 0;

/** Returns {element, update}. step(by): go to the next or previous shown picture. */
export function createPanel(session, { step }) {
  const image = h('img', { class: 'tags-large', alt: '', draggable: 'false', 'data-role': 'tags-large' });
  const broken = h('div', { class: 'tags-broken large', hidden: true }, icon('image'), t('This picture cannot be shown.'));
  showOrTell(image, broken);
  const name = h('span', { class: 'grow clip tags-title', 'data-role': 'tags-picture-name' });
  const revert = h('button', { class: 'btn quiet square', title: t('Discard unsaved changes of this picture'), 'aria-label': t('Discard unsaved changes of this picture'), 'data-role': 'tags-revert', onclick: () => edit({ kind: 'revert' }) }, icon('undo'));
  const notes = h('div', { class: 'col' });
  const chips = h('div', { class: 'tags-chips', role: 'list', 'aria-label': t('Tags of this picture'), 'data-role': 'tags-chips' });
  const count = h('span', { class: 'muted small numbers', 'data-role': 'tags-tokens' });
  const add = tagInput({
    tags: () => session.view.tags, label: t('Add a tag to this picture'), placeholder: t('Add a tag…'), role: 'tags-chip-input',
    choose: (tags) => setTags([...present(), ...tags]),
    keydown: (event, input) => { if (event.key === 'Backspace' && input.value === '' && present().length) { event.preventDefault(); chips.lastElementChild?.focus(); } },
  });
  const text = h('textarea', { class: 'input tags-text', rows: '4', spellcheck: 'false', 'aria-label': t('Caption as text'), 'data-role': 'tags-text' });
  const editing = h('div', { class: 'col' }, h('div', { class: 'tags-chipbox' }, chips, add.element),
    h('div', { class: 'row' }, h('span', { class: 'label small grow' }, t('Caption as text')), count), text);
  const nothing = h('div', { class: 'empty' }, icon('image'), h('p', {}, t('Choose a picture to see and edit its tags.')));
  const content = h('div', { class: 'col tags-panel-content', hidden: true },
    h('div', { class: 'row' }, name, revert,
      h('button', { class: 'btn quiet square', 'aria-label': t('Previous picture'), title: t('Previous picture'), onclick: () => step(-1) }, icon('left')),
      h('button', { class: 'btn quiet square', 'aria-label': t('Next picture'), title: t('Next picture'), 'data-role': 'tags-next', onclick: () => step(1) }, icon('right'))),
    h('div', { class: 'tags-stage' }, image, broken), notes, editing);
  const element = h('section', { class: 'card tags-panel', 'aria-label': t('This picture'), 'data-role': 'tags-panel' }, nothing, content);

  let shownPicture = null; // number of the picture that is drawn
  let drawn = [];
  let typed = null; // text typed and not yet sent
  let sending = 0; // texts on their way: an answer from before them must not replace what is in the box
  let visit = 0;
  let wanted = null; // tags set here and on their way: an answer from before them must not bring others back
  let settings = 0;

  let inBox = null; // number of the picture whose text is in the box

  const typing = () => typed !== null || sending > 0;
  const present = () => wanted ?? (typing() && inBox === session.look ? tagsOf(text.value) : session.picture?.tags ?? []);
  const edit = (change) => session.edit(change, [session.look]).then(() => true, (error) => { complain(error); return false; });
  async function setTags(tags) {
    const own = (settings += 1);
    sendText(); // before the tags: they were made from what is in the box
    wanted = tags;
    drawChips();
    const done = await edit({ kind: 'tags', tags });
    if (own === settings) { wanted = null; update(); }
    return done;
  }
  async function sendText() {
    if (typed === null) return;
    const { number, value } = typed;
    typed = null;
    sending += 1;
    try {
      await session.edit({ kind: 'text', text: value, merge: `text ${number} ${visit}` }, [number]);
    } catch (error) {
      complain(error);
      if (error.status === 0 && typed === null) { // not reached: it stays in the box and is sent again
        typed = { number, value };
        setTimeout(sendSoon, 1500);
      }
    }
    sending -= 1;
    update();
  }
  const sendSoon = debounce(sendText, 350);
  text.addEventListener('focus', () => { visit = visits += 1; });
  text.addEventListener('input', () => {
    typed = { number: session.look, value: text.value };
    inBox = session.look;
    wanted = null;
    settings += 1;
    drawChips();
    sendSoon();
  });
  text.addEventListener('blur', sendText);

  function chip(tag, place) {
    const box = h('span', { class: 'chip tags-chip', role: 'listitem', tabindex: '0', 'data-role': 'tags-chip', 'data-tag': tag, title: t('Drag to move, double-click to change') },
      h('span', { class: 'clip' }, tag),
      h('button', { class: 'tags-x', tabindex: '-1', 'aria-label': t('Remove {tag}', { tag }), 'data-role': 'tags-chip-remove', onclick: (event) => { event.stopPropagation(); remove(place); } }, icon('close')));
    box.addEventListener('keydown', (event) => {
      if (event.target !== box) return;
      if (event.key === 'Delete' || event.key === 'Backspace') remove(place);
      else if (event.altKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) move(place, place + (event.key === 'ArrowLeft' ? -1 : 1));
      else if (event.key === 'ArrowLeft') chips.children[place - 1]?.focus();
      else if (event.key === 'ArrowRight') (chips.children[place + 1] ?? add.input).focus();
      else if (event.key === 'Enter' || event.key === 'F2') rename(box, place);
      else return;
      event.preventDefault();
    });
    box.addEventListener('dblclick', () => rename(box, place));
    box.addEventListener('pointerdown', (event) => startDrag(event, box, place));
    return box;
  }

  function remove(place) {
    const focused = chips.contains(document.activeElement);
    setTags(present().filter((_, at) => at !== place));
    if (focused) (chips.children[Math.min(place, chips.children.length - 1)] ?? add.input).focus();
  }
  function move(from, to) {
    const tags = [...present()];
    if (to < 0 || to >= tags.length || to === from) return;
    tags.splice(to, 0, ...tags.splice(from, 1));
    setTags(tags);
    chips.children[to]?.focus();
  }
  function rename(box, place) {
    const input = h('input', { type: 'text', class: 'input tags-rename', value: present()[place], 'aria-label': t('Change this tag'), 'data-role': 'tags-rename' });
    let over = false;
    const finish = (keep) => {
      if (over) return;
      over = true;
      const value = input.value.trim();
      if (keep && value !== present()[place]) setTags(present().flatMap((tag, at) => (at === place ? tagsIn(value) : [tag])));
      else drawChips();
      chips.children[place]?.focus();
    };
    input.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      event.stopPropagation();
      if (event.key === 'Enter') finish(true);
      if (event.key === 'Escape') finish(false);
    });
    input.addEventListener('blur', () => finish(true));
    box.replaceWith(input);
    input.focus();
    input.select();
  }

  /** Move a chip with mouse or pen; a finger scrolls instead and edits the text below. */
  function startDrag(event, box, from) {
    if (event.button !== 0 || event.pointerType === 'touch' || event.target.closest('.tags-x')) return;
    const start = [event.clientX, event.clientY];
    let to = null;
    const place = (move) => {
      if (to === null && Math.hypot(move.clientX - start[0], move.clientY - start[1]) < DRAG_STARTS_PX) return;
      box.classList.add('dragged');
      const others = [...chips.children];
      to = others.findIndex((other) => {
        const { left, width, top, bottom } = other.getBoundingClientRect();
        return move.clientY < top || (move.clientY <= bottom && move.clientX < left + width / 2);
      });
      if (to < 0) to = others.length;
      others.forEach((other, at) => { other.classList.toggle('before', at === to); other.classList.toggle('after', to === others.length && at === to - 1); });
    };
    const end = () => {
      document.removeEventListener('pointermove', place);
      document.removeEventListener('pointerup', end);
      document.removeEventListener('pointercancel', end);
      if (to === null) return;
      drawChips();
      move(from, to > from ? to - 1 : to);
    };
    document.addEventListener('pointermove', place);
    document.addEventListener('pointerup', end);
    document.addEventListener('pointercancel', end);
  }

  function drawChips() {
    drawn = present();
    const focused = [...chips.children].indexOf(document.activeElement);
    fill(chips, drawn.map(chip));
    if (focused >= 0) (chips.children[Math.min(focused, drawn.length - 1)] ?? add.input).focus();
  }

  function drawNotes(picture) {
    const box = (kind, ...children) => h('div', { class: kind, 'data-role': 'tags-note' }, ...children);
    fill(notes,
      picture.problem && box('box-error', h('p', {}, t('The caption of this picture cannot be read, so it is neither shown nor changed.')), h('p', { class: 'small tags-reason' }, translated(picture.problem))),
      picture.conflict && conflictBox(picture),
      picture.shared.length > 0 && box('box-warn', t('This picture shares {file} with {others}: one caption for both. Rename one of the pictures to tell them apart.', { file: picture.caption, others: picture.shared.join(', ') })),
      picture.lines > 1 && box('box-warn', t('This caption has {n} lines. The chips show the first one; training uses the others only with wildcards on.', { n: picture.lines })));
  }

  function conflictBox(picture) {
    const settle = (keep) => session.change('resolve', { spans: [[picture.number, picture.number]], keep }).catch(complain);
    return h('div', { class: 'box-error col', 'data-role': 'tags-conflict' },
      h('p', {}, t('{file} was changed on disk while there were unsaved changes here. Nothing is overwritten until you choose.', { file: picture.caption })),
      h('p', { class: 'label small' }, t('On disk now')),
      h('p', { class: 'tags-other', 'data-role': 'tags-conflict-text' }, (picture.conflict.problem && translated(picture.conflict.problem)) ?? picture.conflict.text ?? t('The file is gone.')),
      h('div', { class: 'row wrap' },
        h('button', { class: 'btn', 'data-role': 'tags-keep-disk', onclick: () => settle('disk') }, t('Use the one on disk')),
        !picture.conflict.problem && h('button', { class: 'btn', 'data-role': 'tags-keep-mine', onclick: () => settle('mine') }, t('Keep mine'))));
  }

  function update() {
    const n = session.look;
    nothing.hidden = n !== null;
    content.hidden = n === null;
    if (n === null) { shownPicture = null; return; }
    if (typed !== null && typed.number !== n) sendText();
    if (n !== shownPicture) {
      shownPicture = n;
      wanted = null;
      settings += 1;
      image.src = thumbnailUrl(`thumbnails/${session.folder.thumbnails[n]}`, 1024);
      name.textContent = session.folder.pictures[n];
      name.title = session.folder.pictures[n];
    }
    const picture = session.picture;
    editing.toggleAttribute('inert', picture === null);
    if (picture === null) return;
    editing.hidden = picture.problem !== null;
    revert.disabled = !picture.dirty;
    drawNotes(picture);
    if (!chips.querySelector('.tags-rename') && (chips.children.length !== drawn.length || !sameTags(drawn, present()))) drawChips();
    if (!typing()) {
      inBox = n;
      if (text.value !== picture.text) text.value = picture.text;
    }
    const limit = Math.max(75, Math.ceil(picture.tokens / 75) * 75);
    count.textContent = picture.tokens === null ? tagWords(picture.tags.length) : `${tagWords(picture.tags.length)} · ${t('{n}/{limit} tokens', { n: picture.tokens, limit })}`;
    count.title = t('CLIP reads 75 tokens at a time. What is beyond the limit set for training is cut off.');
    count.classList.toggle('tags-over', picture.tokens > 75);
  }

  return { element, update, flush: sendText };
}

/** Tags of the first line that has any, as the server reads them. */
function tagsOf(text) {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.split(',').map((tag) => tag.trim()).filter(Boolean));
  return lines.find((tags) => tags.length) ?? [];
}

const sameTags = (some, others) => some.length === others.length && some.every((tag, at) => tag === others[at]);

const tagWords = (n) => t('{n} {n|tag|tags}', { n });
