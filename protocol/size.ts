/** How large a terminal is, and whose size that is; in a file of its own, since every device has this and few draw one. */
import * as v from "valibot";
import { MAX_COLUMNS, MAX_ROWS } from "./limits.ts";

const cells = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most));

export const Size = v.object({ cols: cells(MAX_COLUMNS), rows: cells(MAX_ROWS) });
export type Size = v.InferOutput<typeof Size>;

/** Whose size a terminal has: the program draws for one device, the others see that scaled. */
export const Whose = v.picklist(["nobody", "this", "other"]);
export type Whose = v.InferOutput<typeof Whose>;
