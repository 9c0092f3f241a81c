/**
 * As much of YAML 1.2 as the files here are written in: block and flow collections, plain and quoted scalars on one line,
 * anchors, aliases and merging. Whatever else stands there throws, so that nothing is read as something it is not.
 */

export type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

export function parseYaml(source: string): Yaml {
  const reader = new Reader(
    source.split("\n").flatMap((whole, at): Line[] => {
      const text = withoutComment(whole).trimEnd();
      return text.trim() === "" ? [] : [{ indent: text.search(/\S/u), text: text.trim(), number: at + 1 }];
    }),
  );
  return reader.document();
}

class Reader {
  readonly #lines: Line[];
  readonly #anchors = new Map<string, Yaml>();

  constructor(lines: Line[]) {
    this.#lines = lines;
  }

  document(): Yaml {
    const value = this.#block();
    const [left] = this.#lines;
    if (left) throw wrong(left, "is not where a value can stand");
    return value;
  }

  /** The collection that the next line begins. */
  #block(): Yaml {
    const [first] = this.#lines;
    if (!first) throw new Error("There is nothing.");
    if (/^[[{]/u.test(first.text)) return this.#flow(this.#lines.shift() ?? first);
    const items: Yaml[] = [];
    const map: { [key: string]: Yaml } = {};
    const isList = first.text.startsWith("- ");
    for (let line = first; line?.indent === first.indent; line = this.#lines[0] ?? { ...first, indent: -1 }) {
      this.#lines.shift();
      if (line.text.startsWith("- ") !== isList) throw wrong(line, "is of another kind than what stands before it");
      if (isList) {
        const text = line.text.slice(2).trim();
        // What follows on the next lines is indented as what stands after the dash is.
        if (isPair(text)) this.#lines.unshift({ ...line, indent: line.indent + line.text.length - text.length, text });
        items.push(isPair(text) ? this.#block() : this.#value(text, line));
        continue;
      }
      const [, key = "", text = ""] = PAIR.exec(line.text) ?? [];
      if (key === "") throw wrong(line, "has no key");
      const value = this.#value(text.trim(), line);
      if (key === "<<") {
        for (const [name, inherited] of Object.entries(value as object)) map[name] ??= inherited as Yaml;
        continue;
      }
      map[key] = value;
    }
    return isList ? items : map;
  }

  /** What stands after a key or a dash, or below it. */
  #value(text: string, line: Line): Yaml {
    const anchor = /^&(\w+)\s*/u.exec(text);
    if (anchor) {
      const value = this.#value(text.slice(anchor[0].length), line);
      this.#anchors.set(anchor[1] ?? "", value);
      return value;
    }
    const alias = /^\*(\w+)$/u.exec(text)?.[1];
    if (alias !== undefined) {
      const value = this.#anchors.get(alias);
      if (value === undefined) throw wrong(line, `names ${alias}, which is nowhere before`);
      return structuredClone(value);
    }
    if (text !== "") return this.#flow({ ...line, text });
    const [next] = this.#lines;
    return next && next.indent > line.indent ? this.#block() : null;
  }

  /** A scalar, or a collection in brackets on one line. */
  #flow(line: Line): Yaml {
    const { text } = line;
    const quoted = /^"([^"\\]*)"$|^'([^']*)'$/u.exec(text);
    if (quoted) return quoted[1] ?? quoted[2] ?? "";
    if (text.startsWith("[") && text.endsWith("]"))
      return parted(text.slice(1, -1)).map((part) => this.#flow({ ...line, text: part }));
    if (/^[[{&*!|>%@`"'#?-]/u.test(text) && !/^-[^\s]/u.test(text)) throw wrong(line, "is YAML that is not read here");
    return text;
  }
}

const PAIR = /^([\w.<-]+):(?:\s(.*))?$/u;

function isPair(text: string): boolean {
  return PAIR.test(text);
}

/** At the commas that stand outside of quotes. */
function parted(text: string): string[] {
  const parts = text.match(/(?:"[^"]*"|'[^']*'|[^,"'])+/gu) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function withoutComment(line: string): string {
  return /^(?:"[^"]*"|'[^']*'|[^"'#]|(?<=\S)#)*/u.exec(line)?.[0] ?? "";
}

function wrong({ number, text }: Line, why: string): Error {
  return new Error(`line ${number}: "${text}" ${why}.`);
}
