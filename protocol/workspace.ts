/** A workspace is a folder of the host, usually a git repository or worktree. */
import * as v from "valibot";
import { MAX_LABEL_CHARS, MAX_PATH_CHARS } from "./limits.ts";

export const FolderPath = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PATH_CHARS));

export const Folder = v.object({
  path: FolderPath,
  name: v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS)),
  /** The branch, where it is a git repository or worktree. */
  branch: v.optional(v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS))),
});
export type Folder = v.InferOutput<typeof Folder>;
