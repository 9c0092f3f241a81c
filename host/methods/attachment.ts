/** What is attached to prompts, for the devices that may read the session. */
import { CallError } from "@flybridge/protocol/error.ts";
import type { AttachmentNames, AttachmentShelf } from "../core/ports.ts";
import type { Queries } from "../doors/desk.ts";

export function attachmentQueries(around: {
  readonly attachments: AttachmentShelf;
  readonly names: AttachmentNames;
}): Pick<Queries, "attachment.read"> {
  const { attachments, names } = around;
  return {
    "attachment.read": ({ session, hash }) => {
      // Who may read one session may not fetch by its hash what is attached in another.
      const kept = names.has(session, hash) ? attachments.get(hash) : undefined;
      if (!kept) throw new CallError("not_found", "This is not kept any more.");
      return { data: kept.data };
    },
  };
}
