/** The keyboard of a person who watches a session: single keys, and a line when they begin to write. */
import { createInterface, emitKeypressEvents, type Key as Press } from "node:readline";

export type Key =
  | { readonly kind: "text"; readonly text: string }
  /** Text with its Enter, all at once: pasted, or typed faster than we read. */
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "enter" }
  /** Ctrl-C. */
  | { readonly kind: "interrupt" }
  /** Ctrl-D. */
  | { readonly kind: "leave" };

export interface Keyboard extends Disposable {
  /** The next key. Asking again while one is awaited gives the same promise. */
  next(): Promise<Key>;
  /** A line, begun with `begun`; several when they were pasted at once. Undefined when it was given up. */
  line(prompt: string, begun: string): Promise<string | undefined>;
}

/** Only for a terminal; gives it back as it was. */
export function openKeyboard(): Keyboard {
  const { stdin, stdout } = process;
  emitKeypressEvents(stdin);
  let awaited: { readonly key: Promise<Key>; readonly resolve: (key: Key) => void } | undefined;

  let typed = "";
  const settle = (key: Key): void => {
    const resolve = awaited?.resolve;
    awaited = undefined;
    typed = "";
    // Whoever asks the person something next reads the keys itself.
    stdin.off("keypress", pressed);
    stdin.setRawMode(false);
    resolve?.(key);
  };
  const pressed = (text: string | undefined, press: Press): void => {
    const key = keyFrom(text, press);
    if (!key || !awaited) return;
    if (typed === "" && key.kind !== "text") return settle(key);
    // What came together stays together: the rest of it is heard in the same turn of the loop.
    if (typed === "")
      setImmediate(() =>
        settle(typed.includes("\n") ? { kind: "line", text: typed.trimEnd() } : { kind: "text", text: typed }),
      );
    if (key.kind === "text") typed += key.text;
    else if (key.kind === "enter") typed += "\n";
  };

  return {
    next() {
      if (awaited) return awaited.key;
      const { promise, resolve } = Promise.withResolvers<Key>();
      awaited = { key: promise, resolve };
      stdin.on("keypress", pressed);
      stdin.setRawMode(true);
      stdin.resume();
      return promise;
    },
    line(prompt, begun) {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      const lines: string[] = [];
      const reader = createInterface({ input: stdin, output: stdout, prompt, terminal: true, historySize: 0 });
      reader.on("line", (line) => {
        lines.push(line);
        // The rest of a paste comes in the same turn of the loop.
        if (lines.length === 1) setImmediate(() => reader.close());
      });
      reader.on("SIGINT", () => reader.close());
      reader.on("close", () => {
        if (lines.length === 0) stdout.write("\n");
        resolve(lines.length === 0 ? undefined : [...lines, reader.line].join("\n").trimEnd());
      });
      reader.prompt();
      reader.write(begun);
      return promise;
    },
    [Symbol.dispose]() {
      stdin.off("keypress", pressed);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

export function keyFrom(text: string | undefined, press: Pick<Press, "name" | "ctrl" | "meta">): Key | undefined {
  if (press.ctrl === true)
    return press.name === "c" ? { kind: "interrupt" } : press.name === "d" ? { kind: "leave" } : undefined;
  if (press.name === "return" || press.name === "enter") return { kind: "enter" };
  if (press.meta === true || text === undefined || !/^[^\p{Cc}]+$/u.test(text)) return undefined;
  return { kind: "text", text };
}
