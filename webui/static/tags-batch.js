// Edits of many pictures: for which ones, how many would change, and the dialogs for adding, replacing and tidying.
import { debounce, fill, h, icon } from './dom.js';
import { translated } from './messages.js';
import { complain, dialog, notice } from './notice.js';
import { t } from './text.js';
import { tagInput, tagsIn } from './tags-complete.js';
import { pictureWords, stepWords } from './tags-words.js';

/** Returns {element, update, selectionChanged}. selection(): picture numbers; tags(): selected tags. */
export function createBatch(session, { selection, tags }) {
  let scope = 'shown';
  let said = null; // the last message with an Undo, which would undo something else after another step
  const shown = h('button', { type: 'button', 'data-role': 'tags-scope-shown', onclick: () => choose('shown') });
  const selected = h('button', { type: 'button', 'data-role': 'tags-scope-selected', onclick: () => choose('selected') });
  const add = h('button', { class: 'btn', 'data-role': 'tags-add', onclick: () => addDialog() }, icon('plus'), t('Add…'));
  const removeWords = h('span', {});
  const remove = h('button', { class: 'btn danger', 'data-role': 'tags-remove', onclick: () => apply({ kind: 'remove', tags: tags() }) }, icon('trash'), removeWords);
  const replace = h('button', { class: 'btn', 'data-role': 'tags-replace', onclick: () => replaceDialog() }, t('Replace…'));
  const tidy = h('button', { class: 'btn', 'data-role': 'tags-tidy', onclick: () => tidyDialog() }, t('Tidy up…'));
  const element = h('div', { class: 'tags-batch col' },
    h('div', { class: 'row wrap' }, h('span', { class: 'muted small' }, t('Apply to')), h('span', { class: 'seg', role: 'group', 'aria-label': t('Which pictures an edit is for') }, shown, selected)),
    remove, h('div', { class: 'row tags-batch-buttons' }, add, replace, tidy));

  const numbers = () => (scope === 'selected' ? [...selection()] : null);
  const size = () => (scope === 'selected' ? selection().size : session.view.shown_count);

  function choose(next) { scope = next; update(); }

  /** Several pictures selected are what an edit is meant for; one is only looked at. */
  function selectionChanged() {
    scope = selection().size > 1 ? 'selected' : 'shown';
    update();
  }

  function update() {
    shown.textContent = session.filtered() ? t('Filtered ({n})', { n: session.view.shown_count }) : t('All ({n})', { n: session.view.shown_count });
    selected.textContent = t('Selected ({n})', { n: selection().size });
    selected.disabled = selection().size === 0;
    if (scope === 'selected' && selection().size === 0) scope = 'shown';
    shown.setAttribute('aria-pressed', String(scope === 'shown'));
    selected.setAttribute('aria-pressed', String(scope === 'selected'));
    for (const button of [add, replace, tidy]) button.disabled = size() === 0;
    countRemoval();
    if (said && said.rev !== session.view.rev) { said.dismiss(); said = null; }
  }

  const askRemoval = debounce(async () => {
    const chosen = tags();
    if (!chosen.length) return;
    const { changes } = await session.count({ kind: 'remove', tags: chosen }, numbers()).catch(() => ({ changes: 0 }));
    if (JSON.stringify(chosen) !== JSON.stringify(tags())) return;
    remove.disabled = changes === 0;
    removeWords.textContent = chosen.length === 1
      ? t('Remove “{tag}” from {pictures}', { tag: chosen[0], pictures: pictureWords(changes) })
      : t('Remove {n} {n|tag|tags} from {pictures}', { n: chosen.length, pictures: pictureWords(changes) });
  }, 60);
  function countRemoval() {
    const none = tags().length === 0;
    remove.classList.toggle('idle', none);
    if (none) { remove.disabled = true; removeWords.textContent = t('Remove: select tags above'); } else askRemoval();
  }

  async function apply(edit) {
    try {
      const { changed, too_long: left, too_long_count: count } = await session.edit(edit, numbers());
      if (count) notice(t('Unchanged because they would be too long ({n}): {names}', { n: count, names: left.slice(0, 5).join(', ') + (count > 5 ? ' …' : '') }), { seconds: 20 });
      if (!changed) { notice(t('Nothing needed changing.')); return; }
      const dismiss = notice(stepWords({ ...edit, to: edit.replacement, more: 0, count: changed }), { action: { label: t('Undo'), run: () => session.change('undo').catch(complain) } });
      said = { rev: session.view.rev, dismiss };
    } catch (error) { complain(error); }
  }

  /** A dialog with a form, the number of pictures that would change, and a button that does it. make(): the edit or null. */
  function editDialog(title, form, make, go) {
    const count = h('p', { class: 'muted', role: 'status', 'data-role': 'tags-dialog-count' }, ' ');
    const ok = h('button', { type: 'submit', class: 'btn primary', disabled: true, 'data-role': 'tags-dialog-ok' }, go); // the form runs it
    let counts = 0;
    const recount = debounce(async () => {
      const own = (counts += 1);
      const edit = make();
      if (edit === null) { count.textContent = t('For {pictures}.', { pictures: pictureWords(size()) }); ok.disabled = true; return; }
      try {
        const { changes, of, too_long: left } = await session.count(edit, numbers());
        if (own !== counts) return;
        count.textContent = [t('Changes {changes} of {pictures}.', { changes, pictures: pictureWords(of) }), left > 0 && t('Too long to be changed: {n}.', { n: left })].filter(Boolean).join(' ');
        ok.disabled = changes === 0;
      } catch (error) {
        if (own !== counts) return;
        count.textContent = translated(error.message);
        ok.disabled = true;
      }
    }, 80);
    const box = h('form', { class: 'col', onsubmit: (event) => { event.preventDefault(); if (!ok.disabled) run(); }, oninput: recount, onchange: recount },
      form, count, h('div', { class: 'dialog-foot' }, h('button', { type: 'button', class: 'btn', onclick: () => view.close() }, t('Cancel')), ok));
    const view = dialog(title, box);
    function run() { const edit = make(); view.close(); if (edit) apply(edit); }
    recount();
    return { recount, view };
  }

  /** A list of tags as chips with an input behind it. */
  function tagField(label, role, start, touched) {
    let chosen = [...start];
    const chips = h('div', { class: 'row wrap' });
    const input = tagInput({ tags: () => session.view.tags, label, placeholder: t('Type a tag; Enter or a comma adds it'), role, choose: (more) => { chosen = [...new Set([...chosen, ...more])]; draw(); touched(); } });
    function draw() {
      fill(chips, chosen.map((tag) => h('span', { class: 'chip' }, h('span', { class: 'clip' }, tag),
        h('button', { type: 'button', class: 'tags-x', 'aria-label': t('Remove {tag}', { tag }), onclick: () => { chosen = chosen.filter((other) => other !== tag); draw(); touched(); } }, icon('close')))));
      chips.hidden = !chosen.length;
    }
    draw();
    const typed = () => tagsIn(input.input.value);
    return { element: h('div', { class: 'field' }, h('span', { class: 'label' }, label), chips, input.element), value: () => [...new Set([...chosen, ...typed()])], input: input.input };
  }

  const radio = (name, value, label, checked = false) => h('label', { class: 'row' }, h('input', { type: 'radio', name, value, checked, 'data-role': `tags-${name}-${value}` }), label);

  function addDialog() {
    let touched = () => {};
    const field = tagField(t('Tags to add'), 'tags-add-input', [], () => touched());
    const form = h('div', { class: 'col' }, field.element,
      h('div', { class: 'col', role: 'radiogroup', 'aria-label': t('Where') },
        radio('place', 'end', t('At the end, where it is missing'), true),
        radio('place', 'start', t('At the start; a tag that is there already moves to the front (trigger words)'))));
    const chosen = () => form.querySelector('input[name=place]:checked').value;
    touched = editDialog(t('Add tags'), form, () => (field.value().length ? { kind: 'add', tags: field.value(), place: chosen() } : null), t('Add')).recount;
    field.input.focus();
  }

  function replaceDialog() {
    let touched = () => {};
    const from = tagField(t('Replace these tags'), 'tags-replace-from', tags(), () => touched());
    const to = tagField(t('with'), 'tags-replace-to', [], () => touched());
    const note = h('p', { class: 'muted small' }, t('The new tags come where the first of the old ones was. Without new tags the old ones are removed.'));
    touched = editDialog(t('Replace tags'), h('div', { class: 'col' }, from.element, to.element, note),
      () => (from.value().length ? { kind: 'replace', tags: from.value(), replacement: to.value() } : null), t('Replace them')).recount;
    (tags().length ? to : from).input.focus();
  }

  function tidyDialog() {
    const keep = h('input', { type: 'number', class: 'input tags-small', min: '0', max: '255', value: '0', 'data-role': 'tags-keep', 'aria-label': t('Tags at the start that stay') });
    const find = h('input', { type: 'text', class: 'input', 'aria-label': t('Find'), placeholder: t('Find'), 'data-role': 'tags-find-text' });
    const put = h('input', { type: 'text', class: 'input', 'aria-label': t('Replace with'), placeholder: t('Replace with'), 'data-role': 'tags-find-with' });
    // What all captions begin with, a trigger word, is not meant to be sorted away.
    keep.addEventListener('input', () => { keep.dataset.typed = ''; });
    session.keep().then((n) => { if (!('typed' in keep.dataset)) { keep.value = n; keep.dispatchEvent(new Event('change', { bubbles: true })); } }).catch(() => {});
    const kept = h('label', { class: 'row tags-indent' }, t('Tags at the start that stay'), keep, h('code', { class: 'mono muted small' }, 'keep_tokens'));
    const texts = h('div', { class: 'row tags-indent' }, find, put);
    const form = h('div', { class: 'col', role: 'radiogroup', 'aria-label': t('What to tidy') },
      radio('tidy', 'dedupe', t('Remove repeated tags'), true),
      radio('tidy', 'trim', t('Tidy spaces and commas')),
      radio('tidy', 'spaces', t('Turn underscores into spaces (not in emoticons like ^_^)')),
      radio('tidy', 'sort-name', t('Sort tags by name')),
      radio('tidy', 'sort-frequency', t('Sort tags, most frequent first')), kept,
      radio('tidy', 'find', t('Find and replace in the text')), texts,
      radio('tidy', 'revert', t('Discard all unsaved changes')));
    const kind = () => form.querySelector('input[name=tidy]:checked').value;
    const show = () => { kept.hidden = !kind().startsWith('sort'); texts.hidden = kind() !== 'find'; };
    form.addEventListener('change', show);
    show();
    editDialog(t('Tidy up'), form, () => {
      const [name, by] = kind().split('-');
      if (name === 'sort') return { kind: name, by, keep: Math.min(255, Math.max(0, Number(keep.value) || 0)) };
      if (name === 'find') return find.value ? { kind: name, find: find.value, text: put.value } : null;
      return { kind: name };
    }, t('Apply'));
  }

  return { element, update, selectionChanged };
}
