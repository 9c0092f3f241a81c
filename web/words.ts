/**
 * The words on the screens. Every one goes through `t` or `counted`, so that they can be extracted; English is the
 * source and needs no catalog. Placeholders are `{name}`.
 */
import { setupI18n } from "@lingui/core";

type Values = Record<string, string | number>;
/** Lingui's compiled form of a message. */
type Tokens = (string | [string])[];

const i18n = setupI18n({ locale: "en", messages: { en: {} } });
// The full ICU parser would be a tenth of the first screen; what our messages need is placeholders.
i18n.setMessagesCompiler(placeholders);

export function t(message: string, values?: Values): string {
  return i18n._(message, values, { message });
}

/** `counted(3, "{n} file", "{n} files")`; other languages' forms come with their catalogs. */
export function counted(count: number, one: string, other: string, values?: Values): string {
  return t(count === 1 ? one : other, { ...values, n: count });
}

function placeholders(message: string): Tokens {
  return message
    .split(/(\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => (/^\{\w+\}$/.test(part) ? ([part.slice(1, -1)] as [string]) : part));
}
