/** Random video on the page: finds a peer, makes the call, and shows its state. */

import { find, nameOf } from "../aleatoria/text.js";
import { Call } from "./call.js";
import { Media } from "./media.js";

/** @import { Client, Frame } from "../aleatoria/types.d.ts" */
/** @import { Kind } from "./media.js" */

/**
 * off: the user is not looking for anybody. left: the peer has ended the call.
 * @typedef {"off" | "looking" | "connecting" | "connected" | "reconnecting" | "left"} VideoState
 */

/** Milliseconds for which Next does nothing after a click, so that a double click skips one peer only. */
const NEXT_PAUSE = 600;

export class Video {
  /** @type {VideoState} */
  state = "off";
  /** The user at the other end of the call, or "". */
  peer = "";

  /** @type {Call | null} */
  #call = null;

  /** @param {Client} client @param {HTMLElement} root @param {(peer: string) => void} onPeer */
  constructor(client, root, onPeer) {
    this.client = client;
    this.root = root;
    this.onPeer = onPeer;
    this.remote = /** @type {HTMLVideoElement} */ (find("#remote", root));
    this.media = new Media(root, {
      onChange: () => this.#render(),
      onTrack: (track, kind) => this.#call?.replaceTrack(track, kind),
    });
    this.#button("start").addEventListener("click", () => this.start());
    this.#button("next").addEventListener("click", () => this.skipPeer());
    this.#button("stop").addEventListener("click", () => this.stop());
    this.#button("toggle-microphone").addEventListener("click", () => this.media.toggle("audio"));
    this.#button("toggle-camera").addEventListener("click", () => this.media.toggle("video"));
    client.on("signal", (frame) => this.#receive(frame));
    client.on("state", (state) => state === "open" && this.#resume());
    this.#render();
  }

  /** Opens the camera, so that the user sees its picture and can choose another one. */
  async open() {
    if (!this.media.stream) await this.media.open();
  }

  /** The pane is hidden. Without a call or a search, the camera is turned off. */
  close() {
    if (this.state === "off") this.stop();
  }

  /** Looks for a peer. */
  async start() {
    await this.open();
    if (!this.media.stream) return;
    this.#setState("looking");
    this.client.send("request_random_peer");
  }

  /** Ends the call, if there is one, and looks for another peer. */
  skipPeer() {
    const { peer } = this;
    this.#endCall();
    this.#setState("looking");
    this.client.send("request_random_peer", peer ? { payload: { currentPeerId: peer } } : {});
    this.#button("next").disabled = true;
    setTimeout(() => this.#render(), NEXT_PAUSE);
  }

  /** Ends the call or the search, and turns the camera off. */
  stop() {
    if (this.#call && this.peer) this.client.send("hangup", { toUser: this.peer });
    else if (this.state === "looking") this.client.send("user_unavailable_webrtc");
    this.#endCall();
    this.media.close();
    this.#setState("off");
  }

  // The server's frames

  /** @param {Frame} frame */
  #receive({ type, fromUser, payload }) {
    if (type === "assign_role") this.#startCall(payload);
    else if (type === "no_peer_available") this.#keepLooking();
    else if (type === "hangup" && fromUser === this.peer) this.#showPeerLeft();
    else if (type.startsWith("webrtc_") && fromUser === this.peer) this.#call?.receive(type, payload);
  }

  /** @param {{ role: string, peerId: string, iceServers: RTCIceServer[] }} role */
  #startCall({ role, peerId, iceServers }) {
    if (this.state === "off") return void this.client.send("hangup", { toUser: peerId });
    if (this.#call && this.peer === peerId) return this.#call.resume();
    this.#endCall();
    this.peer = peerId;
    this.#call = new Call({
      polite: role === "polite",
      iceServers,
      stream: this.media.stream,
      signal: (type, payload) => this.client.send(type, { toUser: peerId, payload }),
      onState: (state) => state !== "ended" && this.#setState(state),
      onTrack: (stream) => (this.remote.srcObject = stream),
    });
    this.onPeer(peerId);
    this.#setState("connecting");
  }

  #keepLooking() {
    // After a reconnect this means that the call is over, and the user waits in the pool.
    if (this.#call) this.#endCall();
    if (this.state !== "off") this.#setState("looking");
  }

  #showPeerLeft() {
    this.#endCall();
    this.#setState("left");
  }

  /** The connection to the server is open again: asks for the call, or for another peer. */
  #resume() {
    if (this.#call || this.state === "looking") this.client.send("request_random_peer");
  }

  #endCall() {
    this.#call?.end();
    this.#call = null;
    this.remote.srcObject = null;
    this.peer = "";
    this.onPeer("");
  }

  // The page

  /** @param {VideoState} state */
  #setState(state) {
    this.state = state;
    this.#render();
  }

  #render() {
    const isOff = this.state === "off";
    this.root.dataset.state = this.state;
    this.root.dispatchEvent(new Event("change"));
    this.#button("start").hidden = !isOff;
    this.#button("start").disabled = this.media.isOpening;
    this.#button("start").textContent = this.media.problem ? "Try again" : "Start";
    this.#button("next").hidden = this.#button("stop").hidden = isOff;
    this.#button("next").disabled = this.state === "looking";
    this.#renderToggle("toggle-microphone", "audio", "Mute", "Unmute");
    this.#renderToggle("toggle-camera", "video", "Camera off", "Camera on");
    find("#call-state", this.root).textContent = this.#describeState();
    this.media.preview.hidden = !this.media.track("video");
  }

  /** @param {string} id @param {Kind} kind @param {string} muteText @param {string} unmuteText */
  #renderToggle(id, kind, muteText, unmuteText) {
    const button = this.#button(id);
    const isMuted = this.media.isMuted(kind);
    button.disabled = !this.media.track(kind);
    button.textContent = isMuted ? unmuteText : muteText;
    button.setAttribute("aria-pressed", String(isMuted));
  }

  #describeState() {
    if (this.media.problem) return this.media.problem;
    if (this.media.isOpening) return "Your browser asks whether this page may use camera and microphone.";
    const who = nameOf(this.peer).name;
    const hasNoCamera = this.media.stream && !this.media.track("video");
    const alone = hasNoCamera ? " Without a camera: the other one only hears you." : "";
    return {
      off: `Press Start to meet somebody.${alone}`,
      looking: "Looking for someone…",
      connecting: `Connecting to ${who}…`,
      connected: `Connected with ${who}.`,
      reconnecting: `The connection to ${who} is interrupted. Trying to get it back…`,
      left: "They left. Press Next to meet somebody else.",
    }[this.state];
  }

  /** @param {string} id @returns {HTMLButtonElement} */
  #button(id) {
    return /** @type {HTMLButtonElement} */ (find(`#${id}`, this.root));
  }
}
