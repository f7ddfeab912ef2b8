// @ts-check
/**
 * One call with one peer: WebRTC's perfect negotiation over whatever carries the signals. The polite side gives way when
 * both offer at once; signals that get lost are sent again; a network that changes is found out about and got over.
 */

/** @typedef {"connecting" | "connected" | "reconnecting" | "ended"} CallState */
/**
 * @typedef {{
 *   polite: boolean, iceServers: RTCIceServer[], stream: MediaStream | null,
 *   signal: (type: string, payload: object) => void,
 *   onState: (state: CallState) => void, onTrack: (stream: MediaStream) => void,
 * }} CallOptions
 */

/** An offer that has not been answered for so long is sent again: it, or the answer, may have got lost. */
const OFFER_AGAIN = 4000;
/** How long a connection may be interrupted before its paths are looked for anew. */
const RESTART_AFTER = 3000;

export class Call {
  /** @type {CallState} */
  state = "connecting";

  #makingOffer = false;
  #ignoringOffer = false;
  /** Candidates that came before the description they belong to. @type {RTCIceCandidateInit[]} */
  #early = [];
  /** Descriptions and candidates are taken in one after the other. @type {Promise<void>} */
  #turn = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #offerTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #restartTimer;

  /** @param {CallOptions} options */
  constructor({ polite, iceServers, stream, signal, onState, onTrack }) {
    this.polite = polite;
    this.signal = signal;
    this.onState = onState;
    const connection = new RTCPeerConnection({ iceServers });
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({ candidate }) => candidate && this.signal("webrtc_candidate", candidate.toJSON());
    connection.onconnectionstatechange = () => this.#connectionChanged();
    connection.ontrack = ({ streams }) => streams[0] && onTrack(streams[0]);
    globalThis.addEventListener("online", this.#restart);
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const track = stream?.getTracks().find((one) => one.kind === kind);
      const streams = stream ? [stream] : [];
      // The impolite one's offer asks for both kinds, also where he has nothing to send. What the polite one has joins in
      // with it: a transceiver that is added by hand would not.
      if (!polite) connection.addTransceiver(track ?? kind, { streams, direction: track ? "sendrecv" : "recvonly" });
      else if (track) connection.addTrack(track, ...streams);
    }
  }

  /** Take in what the peer has signalled. @param {string} type @param {any} payload */
  receive(type, payload) {
    this.#turn = this.#turn.then(async () => {
      if (this.state === "ended") return;
      try {
        await (type === "webrtc_candidate" ? this.#addCandidate(payload) : this.#describe(payload));
      } catch (error) {
        // A signal that makes no sense harms nobody: the next offer starts over.
        console.debug("a signal was not understood", error);
      }
    });
    return this.#turn;
  }

  /** The way for signals was away and is back: what was sent meanwhile has got lost. */
  resume() {
    if (this.connection.signalingState === "have-local-offer") this.#sendDescription();
    else if (this.connection.connectionState !== "connected") this.#restart();
  }

  /** Send another camera or microphone from now on; null sends nothing. @param {MediaStreamTrack | null} track @param {"audio" | "video"} kind */
  async replaceTrack(track, kind) {
    const [transceiver] = this.connection.getTransceivers().filter((one) => one.receiver.track.kind === kind);
    if (!transceiver) return;
    await transceiver.sender.replaceTrack(track);
    if (track) transceiver.direction = "sendrecv";
  }

  /** It is over. The tracks it sent are not its own, and stay as they are. */
  end() {
    if (this.state === "ended") return;
    globalThis.removeEventListener("online", this.#restart);
    clearTimeout(this.#offerTimer);
    clearTimeout(this.#restartTimer);
    this.connection.onnegotiationneeded = this.connection.onicecandidate = null;
    this.connection.onconnectionstatechange = this.connection.ontrack = null;
    this.connection.close();
    this.#enter("ended");
  }

  // Negotiating

  async #offer() {
    // The first offer is the impolite one's: that is how clients of the original server do it.
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
    if (description.type === "offer") this.#offerTimer = setTimeout(() => this.#offerAgain(), OFFER_AGAIN);
  }

  #offerAgain() {
    if (this.connection.signalingState === "have-local-offer") this.#sendDescription();
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #describe(description) {
    const { connection } = this;
    const isOffer = description.type === "offer";
    const collides = isOffer && (this.#makingOffer || connection.signalingState !== "stable");
    this.#ignoringOffer = !this.polite && collides;
    if (this.#ignoringOffer) return;
    // An answer to an offer that has been taken back, or a second one to the same.
    if (!isOffer && connection.signalingState !== "have-local-offer") return;
    await connection.setRemoteDescription(description);
    clearTimeout(this.#offerTimer);
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(candidate);
    if (!isOffer) return;
    await connection.setLocalDescription();
    this.#sendDescription();
  }

  /** @param {RTCIceCandidateInit} candidate */
  async #addCandidate(candidate) {
    if (!this.connection.remoteDescription) {
      this.#early.push(candidate);
      return;
    }
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // Those of an offer that was ignored belong to nothing.
      if (!this.#ignoringOffer) throw error;
    }
  }

  // Staying connected

  #connectionChanged() {
    clearTimeout(this.#restartTimer);
    const { connectionState } = this.connection;
    if (connectionState === "connected") this.#enter("connected");
    if (connectionState === "disconnected" || connectionState === "failed") {
      if (this.state === "connected") this.#enter("reconnecting");
      this.#restartTimer = setTimeout(this.#restart, connectionState === "failed" ? 0 : RESTART_AFTER);
    }
  }

  #restart = () => {
    if (this.state !== "ended") this.connection.restartIce();
  };

  /** @param {CallState} state */
  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }
}
