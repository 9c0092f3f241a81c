/**
 * The words on the screens. Every one goes through `t` or `counted`, so that a tool can extract them and a catalog can
 * take their place; English is the source and needs none. Placeholders are `{name}`.
 */

type Values = Record<string, string | number>;

export function t(message: string, values: Values = {}): string {
  return message.replaceAll(/\{(\w+)\}/gu, (_, name: string) => String(values[name] ?? ""));
}

/** `counted(3, "{n} file", "{n} files")`; other languages' forms come with their catalogs. */
export function counted(count: number, one: string, other: string, values?: Values): string {
  return t(count === 1 ? one : other, { ...values, n: count });
}
