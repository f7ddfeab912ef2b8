/** The page: signing in, the conversation that is shown, and which panes are visible. */

import { fragmentOf, parseFragment } from "./address.js";
import { Banner } from "./banner.js";
import { Client } from "./client.js";
import { find, nameTag } from "./text.js";
import { People } from "../chat/people.js";
import { Places } from "../chat/places.js";
import "../chat/talk.js";

/** @import { Talk } from "../chat/talk.js" */
/** @import { Video } from "../matchmaking/video.js" */
/** @import { Address } from "./types.d.ts" */

/** @typedef {"places" | "talk" | "people" | "video"} Pane */

const door = find("#door");
const house = find("#house");
const client = new Client({ url: new URL("ws", document.baseURI).href.replace(/^http/, "ws") });
const talk = /** @type {Talk} */ (find("#talk"));
const beside = /** @type {Talk} */ (find("#beside"));
const places = new Places(client, find("#places"), openConversation);
const people = new People(client, find("#people"), (user) => openConversation({ toUser: user }));
const banner = new Banner(client, find("#banner"));
talk.attach(client);
beside.attach(client);

// Signing in and out

find("form", door).addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = /** @type {HTMLInputElement} */ (find("input", door)).value.trim();
  const problem = find(".problem", door);
  problem.textContent = "";
  try {
    const response = await fetch("api/session", { method: "POST", body: JSON.stringify({ name }) });
    if (!response.ok) throw new Error((await response.json()).error);
    startChat();
  } catch (error) {
    const { name: kind, message } = /** @type {Error} */ (error);
    problem.textContent = kind === "TypeError" ? "The server cannot be reached. Try again in a moment." : message;
  }
});

find("#log-out").addEventListener("click", async () => {
  (await video)?.stop();
  client.stop();
  await fetch("api/session", { method: "DELETE" });
  location.assign(location.pathname);
});

function showSignIn() {
  house.hidden = true;
  door.hidden = false;
  find("input", door).focus();
}

function startChat() {
  door.hidden = true;
  house.hidden = false;
  client.start();
}

// The conversation that is shown

/** Shows a conversation, names it in the page's URL, and lets the user write. @param {Address} address */
function openConversation(address) {
  location.hash = fragmentOf(address);
  showConversation(address);
  focusComposer();
}

/** Focuses the text field, unless that opens an on-screen keyboard. */
function focusComposer() {
  if (matchMedia("(pointer: fine)").matches) talk.focusInput();
}

/** @param {Address} address */
function showConversation(address) {
  const conversation = client.conversation(address);
  if ("toUser" in address) places.addDirect(address.toUser);
  places.active = conversation.key;
  find("#where").replaceChildren("room" in address ? address.room : nameTag(address.toUser));
  find("#leave").hidden = !("room" in address);
  people.show("room" in address ? address.room : "");
  showPane("talk");
  talk.show(conversation);
  places.markRead(conversation);
  places.render();
}

/** Shows the conversation that the URL names, else a room, else the list of places. */
async function showInitialConversation() {
  const address = parseFragment(location.hash);
  if (address && "toUser" in address) return showConversation(address);
  const wanted = address?.room ?? "";
  if (wanted && !client.rooms.has(wanted)) {
    try {
      return showConversation({ room: await client.join(wanted) });
    } catch (error) {
      banner.showNotice(/** @type {Error} */ (error).message);
    }
  }
  const room = client.rooms.has(wanted) ? wanted : [...client.rooms].sort()[0];
  if (room) showConversation({ room });
  else showPane("places");
}

addEventListener("hashchange", () => client.state === "open" && showInitialConversation());

find("#leave").addEventListener("click", () => {
  const { address } = talk.conversation ?? {};
  if (!address || !("room" in address)) return;
  client.leave(address.room).catch((error) => banner.showNotice(error.message));
});

client.on("rooms", () => {
  const { address } = talk.conversation ?? {};
  if (!address || !("room" in address) || client.rooms.has(address.room) || client.state !== "open") return;
  history.replaceState(null, "", location.pathname);
  showInitialConversation();
});

function markShownRead() {
  if (talk.conversation && document.visibilityState === "visible") places.markRead(talk.conversation);
}

talk.addEventListener("read", () => house.dataset.pane !== "video" && markShownRead());
document.addEventListener("visibilitychange", markShownRead);
beside.addEventListener("read", () => beside.conversation && places.markRead(beside.conversation));

// Panes

/** A narrow screen shows this pane only, a wide one all but the video. @param {Pane} pane */
function showPane(pane) {
  if (pane !== "video" && house.dataset.pane === "video") video?.then((one) => one.close());
  house.dataset.pane = pane;
  for (const button of paneButtons) button.setAttribute("aria-pressed", String(button.dataset.showsPane === pane));
  find("#video").hidden = pane !== "video";
  find("#conversation").hidden = pane === "video";
  if (pane === "video") openVideo();
}

/** @type {NodeListOf<HTMLElement>} */
const paneButtons = document.querySelectorAll("[data-shows-pane]");
for (const button of paneButtons)
  button.addEventListener("click", () => {
    const pane = /** @type {Pane} */ (button.dataset.showsPane);
    showPane(pane === house.dataset.pane ? "talk" : pane);
  });

/** Loaded when the user opens it. @type {Promise<Video> | null} */
let video = null;

async function openVideo() {
  video ??= import("../matchmaking/video.js").then(
    ({ Video }) => new Video(client, find("#video"), showPeerConversation),
  );
  const { state } = await video;
  if (state === "off") (await video).open();
}

find("#video").addEventListener("change", () => {
  const isOff = (find("#video").dataset.state ?? "off") === "off";
  find("[data-shows-pane=video]").textContent = isOff ? "Random video" : "Back to the video";
});

/** Shows the conversation with the peer of a call; "" hides it. @param {string} peer */
function showPeerConversation(peer) {
  beside.show(peer ? client.conversation({ toUser: peer }) : null);
}

client.on("state", (state) => {
  if (state === "open") {
    find("#me").replaceChildren(nameTag(client.userId));
    if (!talk.conversation) showInitialConversation().then(focusComposer);
  } else if (state === "unknown") {
    showSignIn();
  }
});

if (document.body.dataset.user) startChat();
else showSignIn();
