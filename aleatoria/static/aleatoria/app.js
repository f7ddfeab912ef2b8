// @ts-check
/** The page: who one is, where one is, and what of it is in view. */

import { Client } from "./client.js";
import { find, nameTag } from "./text.js";
import { People } from "../chat/people.js";
import { Places } from "../chat/places.js";
import "../chat/talk.js";

/** @typedef {import("../chat/talk.js").Talk} Talk */
/** @typedef {import("./client.js").Address} Address */
/** @typedef {import("../matchmaking/video.js").Video} Video */

const door = find("#door");
const house = find("#house");
const client = new Client({ url: new URL("ws", document.baseURI).href.replace(/^http/, "ws") });
const talk = /** @type {Talk} */ (find("#talk"));
const beside = /** @type {Talk} */ (find("#beside"));
const places = new Places(client, find("#places"), go);
const people = new People(client, find("#people"), (user) => go({ toUser: user }));
talk.attach(client);
beside.attach(client);

// Who

find("form", door).addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = /** @type {HTMLInputElement} */ (find("input", door)).value.trim();
  const problem = find(".problem", door);
  problem.textContent = "";
  try {
    const response = await fetch("api/session", { method: "POST", body: JSON.stringify({ name }) });
    if (!response.ok) throw new Error((await response.json()).error);
    enter();
  } catch (error) {
    problem.textContent = error instanceof TypeError ? "The server cannot be reached. Try again in a moment." : String(/** @type {Error} */ (error).message);
  }
});

find("#go-out").addEventListener("click", async () => {
  (await video)?.stop();
  client.stop();
  await fetch("api/session", { method: "DELETE" });
  location.assign(location.pathname);
});

function openDoor() {
  house.hidden = true;
  door.hidden = false;
  find("input", door).focus();
}

function enter() {
  door.hidden = true;
  house.hidden = false;
  client.start();
}

// Where

/** Show a room or the conversation with a user. @param {Address} address */
function go(address) {
  location.hash = "room" in address ? `room/${encodeURIComponent(address.room)}` : `user/${encodeURIComponent(address.toUser)}`;
  show(address);
  beReadyToWrite();
}

/** Put the cursor where one writes, unless that brings up a keyboard that covers half the screen. */
function beReadyToWrite() {
  if (matchMedia("(pointer: fine)").matches) talk.focusInput();
}

/** @param {Address} address */
function show(address) {
  const conversation = client.conversation(address);
  if ("toUser" in address) places.addDirect(address.toUser);
  places.active = conversation.key;
  find("#where").replaceChildren("room" in address ? address.room : nameTag(address.toUser));
  find("#leave").hidden = !("room" in address);
  people.show("room" in address ? address.room : "");
  turnTo("talk");
  talk.show(conversation);
  places.markRead(conversation);
  places.render();
}

/** Where the address says, else where one was, else in the first room. */
async function showWhereOneIs() {
  const [, kind, name] = /^#(room|user)\/(.+)$/.exec(location.hash) ?? [];
  if (kind === "user") return show({ toUser: decodeURIComponent(name) });
  const wanted = kind === "room" ? decodeURIComponent(name) : "";
  if (wanted && !client.rooms.has(wanted)) {
    try {
      return show({ room: await client.join(wanted) });
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  }
  const room = client.rooms.has(wanted) ? wanted : [...client.rooms].sort()[0];
  if (room) show({ room });
  else turnTo("places");
}

addEventListener("hashchange", () => client.state === "open" && showWhereOneIs());

find("#leave").addEventListener("click", () => {
  const { conversation } = talk;
  if (conversation && "room" in conversation.address) client.leave(conversation.address.room).catch((error) => say(error.message));
});

client.on("rooms", () => {
  const { address } = talk.conversation ?? {};
  if (!address || !("room" in address) || client.rooms.has(address.room) || client.state !== "open") return;
  history.replaceState(null, "", location.pathname);
  showWhereOneIs();
});

talk.addEventListener("read", () => {
  if (talk.conversation && house.dataset.pane !== "video" && document.visibilityState === "visible") places.markRead(talk.conversation);
});
document.addEventListener("visibilitychange", () => {
  if (talk.conversation && document.visibilityState === "visible") places.markRead(talk.conversation);
});
beside.addEventListener("read", () => beside.conversation && places.markRead(beside.conversation));

// What is in view

/** On a narrow screen one of these is, on a wide one all but the video. @param {"places" | "talk" | "people" | "video"} pane */
function turnTo(pane) {
  if (pane !== "video" && house.dataset.pane === "video") video?.then((one) => one.close());
  house.dataset.pane = pane;
  for (const button of document.querySelectorAll("[data-turn-to]"))
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.turnTo === pane));
  find("#video").hidden = pane !== "video";
  find("#conversation").hidden = pane === "video";
  if (pane === "video") openVideo();
}

for (const button of document.querySelectorAll("[data-turn-to]"))
  button.addEventListener("click", () => {
    const { turnTo: pane } = /** @type {HTMLElement} */ (button).dataset;
    turnTo(/** @type {any} */ (pane === house.dataset.pane ? "talk" : pane));
  });

/** What is for random video is fetched when somebody wants it. @type {Promise<Video> | null} */
let video = null;

async function openVideo() {
  video ??= import("../matchmaking/video.js").then(({ Video }) => new Video(client, find("#video"), meet));
  const { state } = await video;
  if (state === "off") (await video).open();
}

find("#video").addEventListener("change", () => {
  const isOff = (find("#video").dataset.state ?? "off") === "off";
  find("#turn-to-video").textContent = isOff ? "Random video" : "Back to the video";
});

/** @param {string} peer whom one talks to from now on, or "" */
function meet(peer) {
  beside.show(peer ? client.conversation({ toUser: peer }) : null);
}

// How it is

const banner = find("#banner");
let spoken = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let unspoken;

/** Show a text for a while. @param {string} text */
function say(text) {
  spoken = text;
  clearTimeout(unspoken);
  unspoken = setTimeout(() => say(""), 8000);
  showState();
}

function showState() {
  const lost = client.state === "waiting" || (client.state === "connecting" && client.userId);
  const text =
    client.state === "banned"
      ? "Those who run this server have closed your connection."
      : lost
        ? "The connection is lost. Trying again; what you write is sent as soon as it is back."
        : spoken || (client.degraded ? "The server is without its memory: you can talk, but nothing is kept at the moment." : "");
  banner.textContent = text;
  banner.hidden = !text;
}

client.on("problem", say);
client.on("degraded", showState);
client.on("state", (state) => {
  showState();
  if (state === "open") {
    find("#me").replaceChildren(nameTag(client.userId));
    if (!talk.conversation) showWhereOneIs().then(beReadyToWrite);
  } else if (state === "unknown") {
    openDoor();
  }
});

if (document.body.dataset.user) enter();
else openDoor();
