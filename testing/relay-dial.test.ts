/** A shell's way to a relay: by the certificate authorities that it trusts, and by none other. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { memoryKeys } from "@flybridge/client/keys-memory.contract.ts";
import { nodePlatformOver } from "@flybridge/client/platform-node.ts";
import { seededRandom } from "@flybridge/client/small-host.contract.ts";
import { memoryStore } from "@flybridge/client/store-memory.ts";
import { ownCertificate } from "@flybridge/host/machine/certificate.ts";
import { RELAY_FRAME_BYTES, RELAY_PATH } from "@flybridge/protocol/relay/words.ts";
import type { LinkEnd } from "@flybridge/transport/link.ts";
import { WebSocketServer } from "ws";

describe("a device", () => {
  it("[D05] [E46] knows a relay by its certificate, and speaks to none in the clear beyond this machine", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flybridge-relay-dial-"));
    const [mine, other] = await Promise.all(
      ["mine", "other"].map(async (name) => {
        const place = join(folder, name);
        await mkdir(place);
        return ownCertificate(place, ["localhost", "127.0.0.1"], Date.now());
      }),
    );
    const server = createServer(mine!);
    const sockets = new WebSocketServer({ server, path: RELAY_PATH });
    sockets.on("connection", (socket) => socket.send(Buffer.alloc(RELAY_FRAME_BYTES, 7)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const heard = async (ca: readonly string[], origin: string): Promise<number | LinkEnd> => {
      const platform = nodePlatformOver({ keys: memoryKeys(seededRandom(1)), store: memoryStore(), ca });
      const link = (await platform.reach()).relay(origin);
      const first = await new Promise<number | LinkEnd>((resolve) => {
        link.listen({ frame: (bytes) => resolve(bytes.length), drained() {}, ended: resolve });
      });
      link.close("heard");
      return first;
    };
    try {
      assert.equal(await heard([mine!.cert], `https://localhost:${port}`), RELAY_FRAME_BYTES);
      assert.equal(await heard([mine!.cert], `https://127.0.0.1:${port}`), RELAY_FRAME_BYTES);
      for (const [ca, origin] of [
        [[], `https://localhost:${port}`],
        [[other!.cert], `https://localhost:${port}`],
        // A name that the certificate does not have.
        [[mine!.cert], `https://[::ffff:7f00:1]:${port}`],
      ] as const) {
        const end = await heard(ca, origin);
        assert.ok(typeof end === "object" && end.kind === "cut", JSON.stringify(end));
        assert.match(end.detail, /certificate|altnames/u);
      }
      await assert.rejects(heard([], `http://192.0.2.1:${port}`), { name: "OriginError", fault: "plaintext" });
    } finally {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});
