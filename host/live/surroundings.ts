/** What a session needs of the world around it. */
import type { Agent } from "../agents/agent.ts";
import type { Journal, SessionShelf } from "../core/ports.ts";
import type { Hands } from "./child.ts";
import type { Writer } from "./writer.ts";

export interface Surroundings {
  readonly journal: Journal;
  readonly shelf: SessionShelf;
  readonly writer: Writer;
  readonly hands: Hands;
  readonly agent: Agent;
  readonly env: Readonly<Record<string, string>>;
  now(): number;
  after(milliseconds: number, work: () => void): Disposable;
  log(message: string, detail: Record<string, unknown>): void;
}
