import { formatDay, formatTime, makeElement, nameTag, withLinks } from "../aleatoria/text.js";

/** @import { Message } from "../aleatoria/types.d.ts" */
/** @import { Actions, Line } from "./types.d.ts" */

/** Milliseconds within which a user's messages share one heading. */
const CONTINUED = 5 * 60_000;

/**
 * Fills the line of a message that follows `previous`, unless it is up to date.
 * @param {Line} line @param {Message} message @param {Message | undefined} previous
 * @param {boolean} isOwn @param {Actions} actions
 */
export function renderLine(line, message, previous, isOwn, actions) {
  const look = classesOf(message, previous);
  if (line.message === message && line.dataset.look === look) return;
  line.message = message;
  line.dataset.look = look;
  line.className = look;
  line.classList.toggle("own", isOwn);
  line.replaceChildren(...makeParts(message, previous));
  if (message.failed) line.append(makeFailure(message, actions));
}

/** @param {Message} message @param {Message} [previous] */
function makeParts(message, previous) {
  const moment = new Date(message.createTime ?? Date.now());
  const parts = [];
  if (beginsDay(message, previous)) parts.push(makeElement("h3", { className: "day" }, formatDay(moment)));
  if (!isContinued(message, previous)) {
    const text = message.pending ? "sending…" : formatTime(moment);
    const time = makeElement("time", { dateTime: moment.toISOString() }, text);
    parts.push(makeElement("div", { className: "by" }, nameTag(message.fromUser ?? ""), " ", time));
  }
  parts.push(makeElement("p", {}, ...withLinks(String(message.payload?.content ?? ""))));
  return parts;
}

/** @param {Message} message @param {Actions} actions */
function makeFailure(message, { resend, discard }) {
  const { failed, ...rest } = message;
  const again = makeElement("button", { type: "button" }, "Send again");
  const drop = makeElement("button", { type: "button" }, "Discard");
  again.addEventListener("click", () => resend(rest));
  drop.addEventListener("click", () => discard(message));
  return makeElement("div", { className: "failure", role: "alert" }, `Not sent. ${failed} `, again, " ", drop);
}

/** @param {Message} message @param {Message} [previous] */
function classesOf(message, previous) {
  const classes = ["line"];
  if (message.pending) classes.push("pending");
  if (message.failed) classes.push("failed");
  if (beginsDay(message, previous)) classes.push("first");
  if (isContinued(message, previous)) classes.push("continued");
  return classes.join(" ");
}

/** @param {Message} message */
const momentOf = ({ createTime }) => (createTime ? Date.parse(createTime) : Date.now());

/** @param {Message} message @param {Message} [previous] */
function beginsDay(message, previous) {
  return !previous || new Date(momentOf(previous)).toDateString() !== new Date(momentOf(message)).toDateString();
}

/** @param {Message} message @param {Message} [previous] */
function isContinued(message, previous) {
  if (!previous || beginsDay(message, previous) || message.pending || message.failed) return false;
  return previous.fromUser === message.fromUser && momentOf(message) - momentOf(previous) < CONTINUED;
}
