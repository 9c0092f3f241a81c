/** An attachment is a file or an image that goes with a prompt. The host keeps its bytes; entries name them by hash. */
import * as v from "valibot";
import { MAX_ATTACHMENT_CHARS, MAX_ATTACHMENTS, MAX_LABEL_CHARS } from "./limits.ts";

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_LABEL_CHARS));
/** A media type without parameters (RFC 6838 §4.2). */
const type = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/));
/** SHA-256 of its bytes, in hex. */
export const AttachmentHash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** As it travels with a prompt. */
export const Upload = v.object({
  name,
  type,
  /** Base64 with padding (RFC 4648 §4). */
  data: v.pipe(v.string(), v.maxLength(MAX_ATTACHMENT_CHARS)),
});
export type Upload = v.InferOutput<typeof Upload>;
export const Uploads = v.pipe(v.array(Upload), v.maxLength(MAX_ATTACHMENTS));

/** As entries name it. */
export const Attachment = v.object({ name, type, size: v.number(), hash: AttachmentHash });
export type Attachment = v.InferOutput<typeof Attachment>;
export const Attachments = v.pipe(v.array(Attachment), v.maxLength(MAX_ATTACHMENTS));
