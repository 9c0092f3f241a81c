/** The servers that a relay stands on, where this machine can get them: a test starts each for itself. */

import { NATS_FOLDERS } from "../../testing/nats.ts";
import { POSTGRES_FOLDERS } from "../../testing/postgres.ts";
import { bring } from "./debian.ts";

/** Throws, with a sentence that names those that are missing, when they are not here and cannot be had. */
export function bringServers(): void {
  bring({
    what: "the servers that a relay stands on",
    programs: ["postgres", "nats-server"],
    packages: ["postgresql", "nats-server"],
    folders: [...POSTGRES_FOLDERS, ...NATS_FOLDERS],
  });
}
