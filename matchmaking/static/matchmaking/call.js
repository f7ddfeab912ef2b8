/**
 * One WebRTC call with one peer. The page carries the signals between the two. A call follows the pattern of "perfect
 * negotiation": when both sides offer at once, the polite side gives way. Lost signals are sent again, and a call
 * survives a change of the network.
 */

/** @typedef {"connecting" | "connected" | "reconnecting" | "ended"} CallState */
/**
 * `signal` carries a signal to the peer. The peer hands it to `receive` of its own call.
 * @typedef {{
 *   polite: boolean, iceServers: RTCIceServer[], stream: MediaStream | null,
 *   signal: (type: string, payload: object) => void,
 *   onState: (state: CallState) => void, onTrack: (stream: MediaStream) => void,
 * }} CallOptions
 */

/** Milliseconds after which an offer without an answer is sent again: the offer or its answer may be lost. */
const OFFER_TIMEOUT = 4000;
/** Milliseconds for which a connection may be interrupted before ICE looks for new paths. */
const RESTART_DELAY = 3000;

export class Call {
  /** @type {CallState} */
  state = "connecting";

  #makingOffer = false;
  #ignoringOffer = false;
  /** Candidates that arrived before the description to which they belong. @type {RTCIceCandidateInit[]} */
  #earlyCandidates = [];
  /** Resolves when the signals received so far are processed: one after the other. @type {Promise<void>} */
  #processed = Promise.resolve();
  /** @type {number | undefined} */
  #offerTimer;
  /** @type {number | undefined} */
  #restartTimer;

  /** @param {CallOptions} options */
  constructor({ polite, iceServers, stream, signal, onState, onTrack }) {
    this.polite = polite;
    this.signal = signal;
    this.onState = onState;
    const connection = new RTCPeerConnection({ iceServers });
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#makeOffer();
    connection.onicecandidate = ({ candidate }) => candidate && this.signal("webrtc_candidate", candidate.toJSON());
    connection.onconnectionstatechange = () => this.#followConnection();
    connection.ontrack = ({ streams }) => streams[0] && onTrack(streams[0]);
    globalThis.addEventListener("online", this.#restartIce);
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const track = stream?.getTracks().find((one) => one.kind === kind);
      const streams = stream ? [stream] : [];
      // The impolite side's offer asks for both kinds, even if it has nothing to send. The tracks of the polite side
      // attach to the transceivers of that offer. A transceiver added by hand would not.
      if (!polite) connection.addTransceiver(track ?? kind, { streams, direction: track ? "sendrecv" : "recvonly" });
      else if (track) connection.addTrack(track, ...streams);
    }
  }

  /** Processes a signal from the peer; resolves when that is done. @param {string} type @param {any} payload */
  receive(type, payload) {
    this.#processed = this.#processed.then(async () => {
      if (this.state === "ended") return;
      try {
        await (type === "webrtc_candidate" ? this.#applyCandidate(payload) : this.#applyDescription(payload));
      } catch (error) {
        // A signal that cannot be applied does no harm: the next offer starts over.
        console.debug("a signal could not be applied", error);
      }
    });
    return this.#processed;
  }

  /** Sends again what was lost while signals could not be carried. */
  resume() {
    if (this.connection.signalingState === "have-local-offer") this.#sendDescription();
    else if (this.connection.connectionState !== "connected") this.#restartIce();
  }

  /**
   * Sends another camera or microphone from now on, or nothing for null.
   * @param {MediaStreamTrack | null} track @param {"audio" | "video"} kind
   */
  async replaceTrack(track, kind) {
    const [transceiver] = this.connection.getTransceivers().filter((one) => one.receiver.track.kind === kind);
    if (!transceiver) return;
    await transceiver.sender.replaceTrack(track);
    if (track) transceiver.direction = "sendrecv";
  }

  /** Ends the call. The tracks that it sent belong to the page and are not stopped. */
  end() {
    if (this.state === "ended") return;
    globalThis.removeEventListener("online", this.#restartIce);
    clearTimeout(this.#offerTimer);
    clearTimeout(this.#restartTimer);
    this.connection.onnegotiationneeded = this.connection.onicecandidate = null;
    this.connection.onconnectionstatechange = this.connection.ontrack = null;
    this.connection.close();
    this.#setState("ended");
  }

  // Negotiating

  async #makeOffer() {
    // The impolite side makes the first offer, as clients of the original server do.
    if (this.polite && !this.connection.remoteDescription) return;
    try {
      this.#makingOffer = true;
      await this.connection.setLocalDescription();
      this.#sendDescription();
    } catch (error) {
      console.debug("an offer could not be made", error);
    } finally {
      this.#makingOffer = false;
    }
  }

  #sendDescription() {
    const { localDescription: description } = this.connection;
    if (!description || this.connection.signalingState === "closed") return;
    this.signal(`webrtc_${description.type}`, { type: description.type, sdp: description.sdp });
    clearTimeout(this.#offerTimer);
    if (description.type === "offer") this.#offerTimer = setTimeout(() => this.#resendOffer(), OFFER_TIMEOUT);
  }

  #resendOffer() {
    if (this.connection.signalingState === "have-local-offer") this.#sendDescription();
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #applyDescription(description) {
    const { connection } = this;
    const isOffer = description.type === "offer";
    const collides = isOffer && (this.#makingOffer || connection.signalingState !== "stable");
    this.#ignoringOffer = !this.polite && collides;
    if (this.#ignoringOffer) return;
    // The answer is to an offer that was rolled back, or it is the second one to the same offer.
    if (!isOffer && connection.signalingState !== "have-local-offer") return;
    await connection.setRemoteDescription(description);
    clearTimeout(this.#offerTimer);
    for (const candidate of this.#earlyCandidates.splice(0)) await this.#applyCandidate(candidate);
    if (!isOffer) return;
    await connection.setLocalDescription();
    this.#sendDescription();
  }

  /** @param {RTCIceCandidateInit} candidate */
  async #applyCandidate(candidate) {
    if (!this.connection.remoteDescription) {
      this.#earlyCandidates.push(candidate);
      return;
    }
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // The candidate belongs to an offer that this side ignores.
      if (!this.#ignoringOffer) throw error;
    }
  }

  // Staying connected

  #followConnection() {
    clearTimeout(this.#restartTimer);
    const { connectionState } = this.connection;
    if (connectionState === "connected") this.#setState("connected");
    if (connectionState === "disconnected" || connectionState === "failed") {
      if (this.state === "connected") this.#setState("reconnecting");
      this.#restartTimer = setTimeout(this.#restartIce, connectionState === "failed" ? 0 : RESTART_DELAY);
    }
  }

  #restartIce = () => {
    if (this.state !== "ended") this.connection.restartIce();
  };

  /** @param {CallState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }
}
