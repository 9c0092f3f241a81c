/** A wire between two programs of a test, on a port of loopback: it may be cut, or led elsewhere, and it can keep what goes over it. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Wire implements Disposable {
  /** Where a new connection leads; undefined, and it is closed at once. */
  to: number | undefined;
  /** Connections that were made. */
  made = 0;
  /** What went over it, where it is kept: of each connection, each way for itself. */
  readonly kept: Buffer[][] = [];
  readonly #keeps: boolean;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(to: number | undefined, keeps: boolean) {
    this.to = to;
    this.#keeps = keeps;
    this.#server = createServer((near) => {
      this.made += 1;
      if (this.to === undefined) return near.destroy();
      const far = connect(this.to, "127.0.0.1");
      this.#lead(near, far);
      this.#lead(far, near);
    });
  }

  static async open(to?: number, { keeps = false, port = 0 } = {}): Promise<Wire> {
    const wire = new Wire(to, keeps);
    await once(wire.#server.listen(port, "127.0.0.1"), "listening");
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open, in both directions. */
  get open(): number {
    return this.#sockets.size / 2;
  }

  /** All that are open, without a goodbye. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** What is said on those that are open stays where it is, until `resume`. */
  pause(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#server.close();
  }

  #lead(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay();
    if (this.#keeps) {
      const kept: Buffer[] = [];
      this.kept.push(kept);
      from.on("data", (bytes: Buffer) => kept.push(Buffer.from(bytes)));
    }
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
