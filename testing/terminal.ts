/** A bare device that looks at terminals: every frame it was given, and the screen they draw, by the same emulator. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { Frame, Size } from "@flybridge/protocol/terminal.ts";
import { Emulator } from "@flybridge/host/live/terminal/emulator.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { type BareDevice, newIntent } from "./bare.ts";

const SIZE: Size = { cols: 80, rows: 24 };
/** What does not come in so long a time never comes, in milliseconds. */
const PATIENCE_MS = 60_000;
/** What each device looks at. */
const LOOKING = new WeakMap<BareDevice, Set<TerminalDevice>>();

export class TerminalDevice {
  readonly device: BareDevice;
  readonly session: SessionId;
  readonly frames: Frame[] = [];
  /** Where the output it was given ends. */
  offset = 0;
  ended = false;
  size: Size = SIZE;
  /** All output, and the snapshots before it, as text. */
  text = "";
  /** It takes nothing more until told. */
  #stalled: { promise: Promise<void>; resolve: () => void } | undefined;
  #screen: Emulator | undefined;
  readonly #keyboard = randomBytes(12).toString("base64url");
  #number = 0;
  readonly #decoder = new TextDecoder();

  private constructor(device: BareDevice, session: SessionId) {
    this.device = device;
    this.session = session;
    const looking = LOOKING.get(device) ?? new Set();
    LOOKING.set(device, looking.add(this));
    device.draw(async (of, frame) => {
      for (const terminal of looking) if (terminal.session === of) await terminal.#hear(frame);
    });
  }

  static async open(
    device: BareDevice,
    command: readonly string[] | undefined,
    options: { workspace: string; size?: Size },
  ): Promise<TerminalDevice> {
    const { session } = await device.call("session.create", {
      agent: "terminal" as AgentName,
      workspace: options.workspace,
      ...(command === undefined ? {} : { command: [...command] }),
      ...(options.size === undefined ? {} : { size: options.size }),
    });
    await device.call("session.follow", { session, from: 1 });
    return TerminalDevice.follow(device, session);
  }

  static async follow(device: BareDevice, session: SessionId, from?: number): Promise<TerminalDevice> {
    const terminal = new TerminalDevice(device, session);
    terminal.offset = from ?? 0;
    const { size } = await device.call("terminal.follow", { session, ...(from === undefined ? {} : { from }) });
    terminal.size = size;
    return terminal;
  }

  async type(text: string): Promise<void> {
    const { session } = this;
    await this.device.call("terminal.input", { session, keyboard: this.#keyboard, number: this.#number++, text });
  }

  /** The same key once more, as after a cut. */
  async typeAgain(text: string): Promise<void> {
    const { session } = this;
    await this.device.call("terminal.input", { session, keyboard: this.#keyboard, number: this.#number - 1, text });
  }

  stall(): void {
    this.#stalled ??= Promise.withResolvers<void>();
  }

  go(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
  }

  /** The lines of its screen that are not blank. */
  get screen(): string {
    return this.#screen?.text().trimEnd() ?? "";
  }

  shows(text: string | RegExp): Promise<string> {
    return this.#within(`shows ${String(text)}`, () => {
      const { screen } = this;
      return (typeof text === "string" ? screen.includes(text) : text.test(screen)) ? screen : undefined;
    });
  }

  hears(text: string): Promise<true> {
    return this.#within(`hears ${text}`, () => (this.text.includes(text) ? true : undefined));
  }

  get entries(): Entry[] {
    return this.device.entriesOf(this.session);
  }

  /** The newest ask that is open, once there is one that fits. */
  asked(fits: (ask: Ask) => boolean = () => true): Promise<Ask> {
    return this.#within("is asked", () => {
      const open = new Map<string, Ask>();
      for (const { fact } of this.entries) {
        if (fact.kind === "ask.opened") open.set(fact.ask.ask, fact.ask);
        else if (fact.kind === "ask.settled") open.delete(fact.ask);
      }
      return [...open.values()].find(fits);
    });
  }

  until<T>(find: (entry: Entry) => T | undefined | false): Promise<T> {
    return this.#within(`is told ${String(find)}`, () => {
      for (const entry of this.entries) {
        const found = find(entry);
        if (found !== undefined && found !== false) return found;
      }
      return undefined;
    });
  }

  hasEnded(): Promise<true> {
    return this.#within("has ended", () => (this.ended ? true : undefined));
  }

  /** Ends the program, if it has not ended by itself. */
  async stop(): Promise<void> {
    await this.device.call("session.stop", { session: this.session }, newIntent()).catch((error: unknown) => {
      if (!(error instanceof CallError && error.code === "wrong_state")) throw error;
    });
    await this.until(({ fact }) => fact.kind === "agent.ended");
  }

  #hear(frame: Frame): void | Promise<void> {
    this.frames.push(frame.kind === "output" ? { ...frame, bytes: new Uint8Array(0) } : frame);
    switch (frame.kind) {
      case "snapshot":
        this.#screen?.[Symbol.dispose]();
        this.#screen = new Emulator(frame.size, { answer: () => {}, signal: () => {} });
        this.#draw(frame.bytes);
        this.offset = frame.offset;
        this.size = frame.size;
        break;
      case "output":
        assert.equal(frame.offset, this.offset, "output begins where the frame before ended");
        this.#screen ??= new Emulator(this.size, { answer: () => {}, signal: () => {} });
        this.#draw(frame.bytes);
        this.offset += frame.bytes.length;
        this.ended = false;
        break;
      case "size":
        this.size = frame.size;
        this.#screen?.resize(frame.size);
        break;
      case "ended":
        this.ended = true;
    }
    return this.#stalled?.promise;
  }

  async #within<T>(what: string, find: () => T | undefined): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const facts = this.entries.map(({ fact }) => JSON.stringify(fact));
      reject(new Error(`A terminal that never ${what}:\n${this.screen}\n${facts.slice(-8).join("\n")}`));
    }, PATIENCE_MS);
    try {
      return await Promise.race([this.device.until(find), promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #draw(bytes: Uint8Array): void {
    this.text += this.#decoder.decode(bytes, { stream: true });
    this.#screen?.write(Buffer.from(bytes));
  }
}
