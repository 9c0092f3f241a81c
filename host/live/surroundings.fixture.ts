/** The shelves of a host that has no rule and no attachment, for tests that are about neither. */
import type { Surroundings } from "./surroundings.ts";

export const EMPTY_SHELVES: Pick<Surroundings, "rules" | "attachments"> = {
  rules: {
    list: () => [],
    use: () => undefined,
    make: () => {
      throw new Error("no rule is made here");
    },
    revoke: () => {},
  },
  attachments: {
    put: () => {
      throw new Error("nothing is attached here");
    },
    get: () => undefined,
    keepOnly: () => {},
  },
};
