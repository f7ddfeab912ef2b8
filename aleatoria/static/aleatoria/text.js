// @ts-check
/** How people, moments and what they say are written: as text nodes, never as HTML. */

/** What the server puts behind a guest's name to make his id nobody else's. */
const SUFFIX = /-([a-km-z2-9]{10})$/;
const LINK = /\bhttps?:\/\/[^\s<>"'`]+/giu;
/** What ends a sentence rather than a link. */
const TRAILING = /[.,;:!?)\]}…]+$/u;

/** A user's name without what makes it unique, and a little of that to tell two of a name apart. @param {string} userId */
export function nameOf(userId) {
  const suffix = SUFFIX.exec(userId)?.[1] ?? "";
  return { name: suffix ? userId.slice(0, -suffix.length - 1) : userId, mark: suffix.slice(0, 4) };
}

/** A user's name as an element. @param {string} userId */
export function nameTag(userId) {
  const { name, mark } = nameOf(userId);
  const tag = element("span", { className: "name", title: userId }, name);
  if (mark) tag.append(element("span", { className: "mark" }, mark));
  return tag;
}

/** What somebody said, with links as links. @param {string} text @returns {(Node | string)[]} */
export function spoken(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    const shown = found[0].replace(TRAILING, "");
    const href = hrefOf(shown);
    if (!href) continue;
    parts.push(text.slice(end, found.index));
    parts.push(element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, shown));
    end = found.index + shown.length;
  }
  return [...parts, text.slice(end)];
}

/** @param {string} text */
function hrefOf(text) {
  try {
    return new URL(text).href;
  } catch {
    return "";
  }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** @param {Date} moment */
export const timeText = (moment) => clock.format(moment);

/** A day as one speaks of it. @param {Date} moment @param {Date} [now] */
export function dayText(moment, now = new Date()) {
  const days = Math.round((startOf(now) - startOf(moment)) / 86_400_000);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : date.format(moment);
}

/** @param {Date} moment */
const startOf = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();

/**
 * A new element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} [properties] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Put entries into a list in place of those it has; who was on one with the keyboard stays on it. @param {HTMLElement} list @param {HTMLElement[]} entries */
export function refill(list, entries) {
  const { activeElement: active } = document;
  const key = active instanceof HTMLElement && list.contains(active) ? active.dataset.key : undefined;
  list.replaceChildren(...entries);
  if (key !== undefined) /** @type {HTMLElement | null} */ (list.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus();
}

/** The element of the page that is there. @template {Element} [Kind=HTMLElement] @param {string} selector @param {ParentNode} [within] @returns {Kind} */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return /** @type {Kind} */ (/** @type {unknown} */ (found));
}
