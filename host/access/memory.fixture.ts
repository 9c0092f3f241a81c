/** Shelves in memory, which outlive the access that is opened over them. */
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { AuditShelf, DeviceShelf, FeedShelf, RelayShelf, StoredDevice } from "../core/ports.ts";

export function memoryShelves(): {
  readonly devices: DeviceShelf;
  readonly audit: AuditShelf;
  readonly feed: FeedShelf;
} {
  const stored = new Map<DeviceId, StoredDevice>();
  return {
    devices: {
      list: () => [...stored.values()],
      put: (one) => void stored.set(one.device.device, one),
      remove: (ids) => ids.forEach((id) => stored.delete(id)),
    },
    // Nothing reads back what is noted and told.
    audit: { append() {}, head: () => undefined, page: () => [], rows: () => [] },
    feed: { after: () => [], last: () => 0, put: (fact) => ({ seq: 1, fact }) },
  };
}

export const NO_RELAYS: RelayShelf = {
  list: () => [],
  put() {},
  remove() {},
  isBarred: () => false,
  bar() {},
  readmit() {},
};
