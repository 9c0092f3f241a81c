/**
 * A node:test reporter for one file: each test that begins and each that is settled as a line of JSON, for the runner that
 * started the process.
 *
 * node:test's own runner of many files cannot end one that hangs, nor the agents and browsers that it has started.
 */

import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

export interface Report {
  /** Full name: `suite > test`. */
  readonly name: string;
  /** A suite is left, whatever its tests came to. */
  readonly end: "begun" | "left" | "passed" | "failed" | "skipped";
  /** What was thrown, as the terminal shows it. */
  readonly failure?: string;
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // Starts come in the order of declaration, ends from the inside out: the starts give a test its place.
  const path: string[] = [];
  const running: string[] = [];
  for await (const { type, data } of events) {
    if (type === "test:dequeue") {
      running.length = data.nesting;
      running.push(data.name);
      yield line({ name: running.join(" > "), end: "begun" });
    }
    if (type === "test:start") {
      path.length = data.nesting;
      path.push(data.name);
    }
    if (type !== "test:pass" && type !== "test:fail") continue;
    const name = [...path.slice(0, data.nesting), data.name].join(" > ");
    const isSuite = data.details.type === "suite";
    if (isSuite) yield line({ name, end: "left" });
    if (isMarked(data.skip) || isMarked(data.todo)) {
      if (!isSuite) yield line({ name, end: "skipped" });
    } else if (type === "test:pass") {
      if (!isSuite) yield line({ name, end: "passed" });
    } else if (!isOnlyItsTests(data.details.error)) {
      yield line({ name, end: "failed", failure: shown(data.details.error) });
    }
  }
}

/** A suite or test fails with each test inside it; that is no further failure. A hook of its own that failed is one. */
function isOnlyItsTests(error: unknown): boolean {
  return (error as { failureType?: string } | undefined)?.failureType === "subtestsFailed";
}

/** node:test wraps what was thrown; its own frames and absolute paths help nobody. */
function shown(error: Error | undefined): string {
  return inspect(error?.cause ?? error)
    .split("\n")
    .filter((text) => !/^\s+at .*\(?node:internal/.test(text) && !/^\s+at .*node:async_hooks/.test(text))
    .join("\n")
    .replaceAll(/file:\/\/(\/[^\s():]+)/g, (_, file: string) => relative(process.cwd(), file));
}

function isMarked(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false;
}

function line(report: Report): string {
  return `${JSON.stringify(report)}\n`;
}
