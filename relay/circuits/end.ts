/** One side of a circuit as the other side sees it, whether its socket is at this node or at another. */
export interface CircuitEnd {
  /** A frame of the circuit's; it is not read. */
  data(frame: Uint8Array): void;
  /** So many bytes of what it sent have gone on: it may send as many more. */
  credit(bytes: number): void;
  /** Nothing follows, in either direction. Closing twice is closing once. */
  close(reason: string): void;
  /** Stops reading what it sends, until it has been released as often: there is no room for it now. */
  hold(): void;
  release(): void;
}

/** A device's end, whose socket carries nothing but the circuit. */
export interface DeviceEnd extends CircuitEnd {
  /** Whether it answers now. */
  isAlive(): Promise<boolean>;
}
