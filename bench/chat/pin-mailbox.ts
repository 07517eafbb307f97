/** Texts on their way to phones: PINs that the server has sent, and who waits for one. */
export class PinMailbox {
  readonly #arrived = new Map<number, string>();
  readonly #waiting = new Map<number, (pin: string) => void>();

  put(phone: number, pin: string): void {
    const waiting = this.#waiting.get(phone);
    if (waiting === undefined) {
      this.#arrived.set(phone, pin);
      return;
    }
    this.#waiting.delete(phone);
    waiting(pin);
  }

  /** Resolves when the server has sent the PIN. */
  take(phone: number): Promise<string> {
    const pin = this.#arrived.get(phone);
    if (pin === undefined) return new Promise((resolve) => this.#waiting.set(phone, resolve));
    this.#arrived.delete(phone);
    return Promise.resolve(pin);
  }
}
