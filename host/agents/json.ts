/** Reading JSON that somebody else wrote: what is missing or of another type is absent, never an exception. */

export type Json = { readonly [key: string]: unknown };

/** The object in a line, or undefined when the line is anything else. */
export function parsed(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function objectAt(from: Json | undefined, key: string): Json | undefined {
  const value = from?.[key];
  return isObject(value) ? value : undefined;
}

export function textAt(from: Json | undefined, key: string): string | undefined {
  const value = from?.[key];
  return typeof value === "string" ? value : undefined;
}

export function numberAt(from: Json | undefined, key: string): number | undefined {
  const value = from?.[key];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The objects of a list; what is not an object is left out. */
export function listAt(from: Json | undefined, key: string): readonly Json[] {
  const value = from?.[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textsAt(from: Json | undefined, key: string): readonly string[] {
  const value = from?.[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
