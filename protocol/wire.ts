/** A plain description of a schema, stable across runs: what the wire hash is taken over. */
import type * as v from "valibot";
import { Introduction } from "./device.ts";
import { METHODS } from "./methods.ts";
import { DeviceMessage, HostMessage } from "./message.ts";
import { DeviceHello, HostHello } from "./relay.ts";

type Any = v.GenericSchema &
  Partial<{
    entries: Record<string, Any>;
    options: readonly unknown[];
    items: readonly Any[];
    item: Any;
    wrapped: Any;
    pipe: readonly (Any & { requirement?: unknown })[];
    literal: unknown;
    key: string;
  }>;

/** Every hello, message and method, one line each. */
export function wireText(): string {
  const methods = Object.entries(METHODS).map(
    ([name, row]) => `${name} ${row.kind} ${row.verb} ${describe(row.params as Any)} -> ${describe(row.result as Any)}`,
  );
  return [
    `host hello ${describe(HostHello as Any)}`,
    `device hello ${describe(DeviceHello as Any)}`,
    `introduction ${describe(Introduction as Any)}`,
    `device ${describe(DeviceMessage as Any)}`,
    `host ${describe(HostMessage as Any)}`,
    ...methods.sort(),
  ].join("\n");
}

/** Schemas that are told by name where they stand inside another one. */
export type Names = ReadonlyMap<unknown, string>;
const NO_NAMES: Names = new Map();

/** The shape of one schema in the notation of the reference: `{ name: string ≤80, kind: "a" | "b", … }`. */
export function describe(schema: Any, names: Names = NO_NAMES): string {
  if (schema.pipe) {
    const [base, ...actions] = schema.pipe;
    const limits = actions
      .filter((action) => action.type in LIMITS)
      .map((action) => LIMITS[action.type]?.(action.requirement));
    return [base ? part(base, names) : "", ...limits].join("");
  }
  switch (schema.type) {
    case "object":
      return `{ ${Object.entries(schema.entries ?? {})
        .map(([name, field]) => property(name, field, names))
        .join(", ")} }`;
    case "variant":
      return (schema.options ?? []).map((option) => part(option as Any, names)).join(" | ");
    case "picklist":
      return (schema.options ?? []).map((option) => JSON.stringify(option)).join(" | ");
    case "literal":
      return JSON.stringify(schema.literal);
    case "array":
      return `[${schema.item ? part(schema.item, names) : ""}]`;
    case "tuple":
      return `[${(schema.items ?? []).map((item) => part(item, names)).join(", ")}]`;
    case "nullable":
      return `${schema.wrapped ? part(schema.wrapped, names) : ""} | null`;
    default:
      return schema.type;
  }
}

function part(schema: Any, names: Names): string {
  return names.get(schema) ?? describe(schema, names);
}

function property(name: string, field: Any, names: Names): string {
  if (field.type === "optional" && field.wrapped) return `${name}?: ${part(field.wrapped, names)}`;
  return `${name}: ${part(field, names)}`;
}

const LIMITS: Record<string, (requirement: unknown) => string> = {
  max_length: (limit) => ` ≤${String(limit)}`,
  min_length: (limit) => ` ≥${String(limit)}`,
  max_value: (limit) => ` ≤${String(limit)}`,
  min_value: (limit) => ` ≥${String(limit)}`,
  regex: (pattern) => ` ${String(pattern)}`,
  brand: () => "",
  integer: () => " integer",
  safe_integer: () => " integer",
};
