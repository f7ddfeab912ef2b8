/** Builds what the page shows: as text nodes, never as HTML. */

/** What the server appends to a guest's name. */
const SUFFIX = /-([a-km-z2-9]{10})$/;
const LINK = /\bhttps?:\/\/[^\s<>"'`]+/giu;
/** Punctuation that ends a sentence and not a link. */
const TRAILING = /[.,;:!?)\]}…]+$/u;

/** Returns a user's name, and a mark that tells two users of one name apart. @param {string} userId */
export function nameOf(userId) {
  const suffix = SUFFIX.exec(userId)?.[1] ?? "";
  return { name: suffix ? userId.slice(0, -suffix.length - 1) : userId, mark: suffix.slice(0, 4) };
}

/** @param {string} userId */
export function nameTag(userId) {
  const { name, mark } = nameOf(userId);
  const tag = makeElement("span", { className: "name", title: userId }, name);
  if (mark) tag.append(makeElement("span", { className: "mark" }, mark));
  return tag;
}

/** Returns a text with its web addresses as links. @param {string} text @returns {(Node | string)[]} */
export function withLinks(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    const shown = found[0].replace(TRAILING, "");
    const href = parseUrl(shown);
    if (!href) continue;
    parts.push(text.slice(end, found.index));
    parts.push(makeElement("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, shown));
    end = found.index + shown.length;
  }
  return [...parts, text.slice(end)];
}

/** @param {string} text */
function parseUrl(text) {
  try {
    return new URL(text).href;
  } catch {
    return "";
  }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** @param {Date} moment */
export const formatTime = (moment) => clock.format(moment);

/** Returns "Today", "Yesterday" or the date. @param {Date} moment @param {Date} [now] */
export function formatDay(moment, now = new Date()) {
  const days = Math.round((startOfDay(now) - startOfDay(moment)) / 86_400_000);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : date.format(moment);
}

/** @param {Date} moment */
const startOfDay = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} [properties] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function makeElement(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Keeps the focus on the entry with the same `data-key`. @param {HTMLElement} list @param {HTMLElement[]} entries */
export function replaceEntries(list, entries) {
  const { activeElement: active } = document;
  const key = active instanceof HTMLElement && list.contains(active) ? active.dataset.key : undefined;
  list.replaceChildren(...entries);
  if (key === undefined) return;
  /** @type {HTMLElement | null} */ (list.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus();
}

/**
 * Throws if no element matches.
 * @template {Element} [Kind=HTMLElement] @param {string} selector @param {ParentNode} [within] @returns {Kind}
 */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`no element matches ${selector}`);
  return /** @type {Kind} */ (/** @type {unknown} */ (found));
}
