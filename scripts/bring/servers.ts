/** The servers that a relay stands on or names, where this machine can get them: a test starts each for itself. */

import { NATS_FOLDERS } from "../../testing/nats.ts";
import { POSTGRES_FOLDERS } from "../../testing/postgres.ts";
import { bring } from "./debian.ts";

/** Throws, with a sentence that names those that are missing, when they are not here and cannot be had. */
export function bringServers(): void {
  bring({
    what: "the servers that a relay stands on or names",
    programs: ["postgres", "nats-server", "turnserver"],
    packages: ["postgresql", "nats-server", "coturn"],
    folders: [...POSTGRES_FOLDERS, ...NATS_FOLDERS],
  });
}
