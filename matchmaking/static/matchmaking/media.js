/** The user's camera and microphone. */

import { find, makeElement } from "../aleatoria/text.js";

/** @typedef {"audio" | "video"} Kind */
/** @typedef {(track: MediaStreamTrack | null, kind: Kind) => Promise<void> | void} OnTrack */

const KINDS = /** @type {const} */ (["audio", "video"]);

export class Media {
  /** What is recorded, or null while camera and microphone are off. @type {MediaStream | null} */
  stream = null;
  /** Why there is no stream, for the user, or "". */
  problem = "";

  /** Set while the browser asks the user for permission. @type {Promise<void> | null} */
  #opening = null;

  /** @param {HTMLElement} root @param {{ onChange: () => void, onTrack: OnTrack }} handlers */
  constructor(root, { onChange, onTrack }) {
    this.onChange = onChange;
    this.onTrack = onTrack;
    this.preview = /** @type {HTMLVideoElement} */ (find("#local", root));
    this.selects = {
      audio: /** @type {HTMLSelectElement} */ (find("#microphone", root)),
      video: /** @type {HTMLSelectElement} */ (find("#camera", root)),
    };
    for (const kind of KINDS) this.selects[kind].addEventListener("change", () => this.open());
  }

  get isOpening() {
    return this.#opening !== null;
  }

  /** Opens the devices that the user has selected. Sets `stream` or `problem`. */
  open() {
    this.#opening ??= this.#tryToOpen().finally(() => {
      this.#opening = null;
      this.onChange();
    });
    this.onChange();
    return this.#opening;
  }

  /** Turns camera and microphone off. */
  close() {
    this.#stopTracks();
    this.stream = null;
    this.preview.srcObject = null;
  }

  /** Returns the track of a kind, if there is one. @param {Kind} kind */
  track(kind) {
    return this.stream?.getTracks().find((track) => track.kind === kind);
  }

  /** Returns whether the track of a kind exists and is muted. @param {Kind} kind */
  isMuted(kind) {
    return this.track(kind)?.enabled === false;
  }

  /** Mutes the track of a kind, or unmutes it. @param {Kind} kind */
  toggle(kind) {
    const track = this.track(kind);
    if (track) track.enabled = !track.enabled;
    this.onChange();
  }

  async #tryToOpen() {
    this.problem = "";
    try {
      await this.#use(await this.#request());
      await this.#listDevices();
    } catch (error) {
      this.problem = explain(/** @type {DOMException} */ (error));
    }
  }

  /** Requests camera and microphone, or the one of them that there is. @returns {Promise<MediaStream>} */
  async #request() {
    const { mediaDevices } = navigator;
    if (!mediaDevices) throw new DOMException("", "SecurityError");
    const [audio, video] = KINDS.map((kind) => this.#constraint(kind));
    for (const constraints of [{ video, audio }, { audio }]) {
      try {
        return await mediaDevices.getUserMedia(constraints);
      } catch (error) {
        if (/** @type {DOMException} */ (error).name === "NotAllowedError") throw error;
      }
    }
    return mediaDevices.getUserMedia({ video });
  }

  /** @param {Kind} kind */
  #constraint(kind) {
    const { value } = this.selects[kind];
    return value ? { deviceId: value } : true;
  }

  /** Replaces the stream. A track is muted if the one before it is. @param {MediaStream} stream */
  async #use(stream) {
    for (const kind of KINDS) {
      const track = stream.getTracks().find((one) => one.kind === kind);
      if (track) track.enabled = !this.isMuted(kind);
      await this.onTrack(track ?? null, kind);
    }
    this.#stopTracks();
    this.stream = stream;
    this.preview.srcObject = stream;
  }

  #stopTracks() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  async #listDevices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const kind of KINDS) {
      const select = this.selects[kind];
      const used = this.track(kind)?.getSettings().deviceId;
      const fitting = devices.filter((device) => device.kind === `${kind}input` && device.deviceId);
      const options = fitting.map(({ deviceId, label }, index) =>
        makeElement("option", { value: deviceId, selected: deviceId === used }, label || `No. ${index + 1}`),
      );
      select.replaceChildren(...options);
      select.disabled = options.length === 0;
    }
  }
}

/** Returns why camera and microphone could not be opened, for the user. @param {DOMException} error */
function explain({ name }) {
  if (name === "NotAllowedError")
    return (
      "Your browser does not let this page use camera and microphone. " +
      "Allow it beside the address, then press Try again."
    );
  if (name === "NotFoundError") return "There is no camera and no microphone. Plug one in, then press Try again.";
  if (name === "SecurityError") return "Camera and microphone work only over https. Open this page with https://.";
  return "Camera and microphone are in use by another program. Close it, then press Try again.";
}
