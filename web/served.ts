/** Who served this page: whoever did can change it, and decides where it may connect to. */

export type Served = "relay" | "host";

const FILE = "/served.json";
/** Where the answer is kept for a start without a network. */
const KEPT = "flybridge-served";

/** Of an address that says nothing of the kind, a host. */
export async function servedBy(): Promise<Served> {
  try {
    const answer = await fetch(FILE, { cache: "no-cache" });
    const served: Served = answer.ok && isRelay(await answer.json()) ? "relay" : "host";
    localStorage.setItem(KEPT, served);
    return served;
  } catch {
    return localStorage.getItem(KEPT) === "relay" ? "relay" : "host";
  }
}

function isRelay(said: unknown): boolean {
  return typeof said === "object" && said !== null && "by" in said && said.by === "relay";
}
