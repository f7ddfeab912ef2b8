// @ts-check
/** Random video on the page: camera and microphone, looking for somebody, the call with him, and what is going on in words. */

import { element, find, nameOf } from "../aleatoria/text.js";
import { Call } from "./call.js";

/** @typedef {import("../aleatoria/client.js").Client} Client */
/** @typedef {import("../aleatoria/client.js").Frame} Frame */
/** off: nobody is looked for. left: the other one has gone. @typedef {"off" | "looking" | "connecting" | "connected" | "reconnecting" | "left"} VideoState */

/** Two quick clicks on Next are one. */
const NEXT_AFTER = 600;

export class Video {
  /** @type {VideoState} */
  state = "off";
  /** Whom the call is with. */
  peer = "";

  /** @type {Call | null} */
  #call = null;
  /** @type {MediaStream | null} */
  #stream = null;
  #problem = "";
  /** While the browser asks for camera and microphone. @type {Promise<void> | null} */
  #asking = null;

  /** @param {Client} client @param {HTMLElement} root @param {(peer: string) => void} onPeer called with whom one talks to, or "" */
  constructor(client, root, onPeer) {
    this.client = client;
    this.root = root;
    this.onPeer = onPeer;
    this.remote = /** @type {HTMLVideoElement} */ (find("#remote", root));
    this.local = /** @type {HTMLVideoElement} */ (find("#local", root));
    this.camera = /** @type {HTMLSelectElement} */ (find("#camera", root));
    this.microphone = /** @type {HTMLSelectElement} */ (find("#microphone", root));
    for (const name of /** @type {const} */ (["start", "next", "stop", "mute", "blind"]))
      this.#button(name).addEventListener("click", () => this[name]());
    this.camera.addEventListener("change", () => this.#getMedia());
    this.microphone.addEventListener("change", () => this.#getMedia());
    client.on("signal", (frame) => this.#hear(frame));
    client.on("state", (state) => state === "open" && this.#resume());
    this.#show();
  }

  /** Show what the camera sees, so that one can choose another. */
  async open() {
    if (!this.#stream) await this.#getMedia();
  }

  /** It is out of view. A call goes on, but nothing keeps the camera on for nobody. */
  close() {
    if (this.state === "off") this.stop();
  }

  // What one can do

  async start() {
    if (!this.#stream) await this.#getMedia();
    if (!this.#stream) return;
    this.#enter("looking");
    this.client.send("request_random_peer");
  }

  next() {
    const { peer } = this;
    this.#endCall();
    this.#enter("looking");
    this.client.send("request_random_peer", peer ? { payload: { currentPeerId: peer } } : {});
    this.#button("next").disabled = true;
    setTimeout(() => this.#show(), NEXT_AFTER);
  }

  stop() {
    if (this.#call && this.peer) this.client.send("hangup", { toUser: this.peer });
    else if (this.state === "looking") this.client.send("user_unavailable_webrtc");
    this.#endCall();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.local.srcObject = null;
    this.#enter("off");
  }

  mute() {
    this.#toggle("audio");
  }

  blind() {
    this.#toggle("video");
  }

  /** @param {"audio" | "video"} kind */
  #toggle(kind) {
    for (const track of this.#tracks(kind)) track.enabled = !track.enabled;
    this.#show();
  }

  // What happens

  /** @param {Frame} frame */
  #hear({ type, fromUser, payload }) {
    if (type === "assign_role") this.#assigned(payload);
    else if (type === "no_peer_available") this.#nobody();
    else if (type === "hangup" && fromUser === this.peer) this.#left();
    else if (type.startsWith("webrtc_") && fromUser === this.peer) this.#call?.receive(type, payload);
  }

  /** @param {{ role: string, peerId: string, iceServers: RTCIceServer[] }} role */
  #assigned({ role, peerId, iceServers }) {
    if (this.state === "off") return void this.client.send("hangup", { toUser: peerId });
    if (this.#call && this.peer === peerId) return this.#call.resume();
    this.#endCall();
    this.peer = peerId;
    this.#call = new Call({
      polite: role === "polite",
      iceServers,
      stream: this.#stream,
      signal: (type, signal) => this.client.send(type, { toUser: peerId, payload: signal }),
      onState: (state) => state !== "ended" && this.#enter(state),
      onTrack: (stream) => (this.remote.srcObject = stream),
    });
    this.onPeer(peerId);
    this.#enter("connecting");
  }

  #nobody() {
    // After a reconnect: the call is over, and he waits for the next.
    if (this.#call) this.#endCall();
    if (this.state !== "off") this.#enter("looking");
  }

  #left() {
    this.#endCall();
    this.#enter("left");
  }

  /** The connection to the server is back: take up the call, or wait again. */
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

  // Camera and microphone

  #getMedia() {
    this.#asking ??= this.#askForMedia().finally(() => {
      this.#asking = null;
      this.#show();
    });
    this.#show();
    return this.#asking;
  }

  async #askForMedia() {
    this.#problem = "";
    try {
      await this.#use(await this.#ask());
      await this.#listDevices();
    } catch (error) {
      this.#problem = explain(/** @type {DOMException} */ (error));
    }
  }

  /** Both if there are both, else what there is. @returns {Promise<MediaStream>} */
  async #ask() {
    const { mediaDevices } = navigator;
    if (!mediaDevices) throw new DOMException("", "SecurityError");
    const video = this.camera.value ? { deviceId: this.camera.value } : true;
    const audio = this.microphone.value ? { deviceId: this.microphone.value } : true;
    try {
      return await mediaDevices.getUserMedia({ video, audio });
    } catch (error) {
      if (/** @type {DOMException} */ (error).name === "NotAllowedError") throw error;
    }
    try {
      return await mediaDevices.getUserMedia({ audio });
    } catch (error) {
      if (/** @type {DOMException} */ (error).name === "NotAllowedError") throw error;
    }
    return mediaDevices.getUserMedia({ video });
  }

  /** @param {MediaStream} stream */
  async #use(stream) {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const [track] = stream.getTracks().filter((one) => one.kind === kind);
      if (track) track.enabled = this.#tracks(kind)[0]?.enabled ?? true;
      await this.#call?.replaceTrack(track ?? null, kind);
    }
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = stream;
    this.local.srcObject = stream;
  }

  async #listDevices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const [select, kind] of /** @type {const} */ ([[this.camera, "videoinput"], [this.microphone, "audioinput"]])) {
      const used = this.#tracks(kind === "videoinput" ? "video" : "audio")[0]?.getSettings().deviceId;
      const fitting = devices.filter((device) => device.kind === kind && device.deviceId);
      select.replaceChildren(
        ...fitting.map(({ deviceId, label }, place) => element("option", { value: deviceId, selected: deviceId === used }, label || `No. ${place + 1}`)),
      );
      select.disabled = fitting.length === 0;
    }
  }

  /** @param {"audio" | "video"} kind */
  #tracks(kind) {
    return (this.#stream?.getTracks() ?? []).filter((track) => track.kind === kind);
  }

  // What is shown

  /** @param {VideoState} state */
  #enter(state) {
    this.state = state;
    this.#show();
  }

  #show() {
    const isOff = this.state === "off";
    this.root.dataset.state = this.state;
    this.root.dispatchEvent(new Event("change"));
    this.#button("start").hidden = !isOff;
    this.#button("start").disabled = this.#asking !== null;
    this.#button("start").textContent = this.#problem ? "Try again" : "Start";
    this.#button("next").hidden = this.#button("stop").hidden = isOff;
    this.#button("next").disabled = this.state === "looking";
    this.#press("mute", "audio", "Mute", "Unmute");
    this.#press("blind", "video", "Camera off", "Camera on");
    find("#call-state", this.root).textContent = this.#words();
    this.local.hidden = this.#tracks("video").length === 0;
  }

  /** @param {"mute" | "blind"} name @param {"audio" | "video"} kind @param {string} off @param {string} on */
  #press(name, kind, off, on) {
    const button = this.#button(name);
    const [track] = this.#tracks(kind);
    button.disabled = !track;
    button.textContent = track && !track.enabled ? on : off;
    button.setAttribute("aria-pressed", String(Boolean(track && !track.enabled)));
  }

  #words() {
    if (this.#problem) return this.#problem;
    if (this.#asking) return "Your browser asks whether this page may use camera and microphone.";
    const who = nameOf(this.peer).name;
    const alone = this.#stream && !this.#tracks("video").length ? " Without a camera: the other one only hears you." : "";
    return {
      off: `Press Start to meet somebody.${alone}`,
      looking: "Looking for someone…",
      connecting: `Connecting to ${who}…`,
      connected: `Connected with ${who}.`,
      reconnecting: `The connection to ${who} is interrupted. Trying to get it back…`,
      left: "They left. Press Next to meet somebody else.",
    }[this.state];
  }

  /** @param {string} name @returns {HTMLButtonElement} */
  #button(name) {
    return /** @type {HTMLButtonElement} */ (find(`#${name}`, this.root));
  }
}

/** Why there is no picture and no sound. @param {DOMException} error */
function explain({ name }) {
  if (name === "NotAllowedError")
    return "Your browser does not let this page use camera and microphone. Allow it beside the address, then press Try again.";
  if (name === "NotFoundError") return "There is no camera and no microphone. Plug one in, then press Try again.";
  if (name === "SecurityError") return "Camera and microphone work only over https. Open this page with https://.";
  return "Camera and microphone are in use by another program. Close it, then press Try again.";
}
