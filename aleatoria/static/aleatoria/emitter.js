/** Calls listeners by the kind of event. */
export class Emitter {
  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();

  /** Returns a function that removes the listener. @param {string} kind @param {(event: any) => void} listener */
  on(kind, listener) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, new Set());
    this.#listeners.get(kind)?.add(listener);
    return () => this.#listeners.get(kind)?.delete(listener);
  }

  emit = (/** @type {string} */ kind, /** @type {any} */ event) => {
    for (const listener of this.#listeners.get(kind) ?? []) listener(event);
  };
}
