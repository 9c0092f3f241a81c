/** The questions that editors ask at the foot of the screen, where all else of them is no ask. */
import type { View } from "./rows.ts";
import type { Found } from "./shape.ts";

/** nano's `Save modified buffer?` above ` Y Yes` and ` N No   ^C Cancel`. */
export function editorAsk(view: View): Found | undefined {
  const rows = view.rows.flatMap((row, at) => (row.blank ? [] : [{ row, at }])).slice(-3);
  const [asked, yes, no] = rows;
  if (!asked || !yes || !no) return undefined;
  if (!/^Y Yes\b/u.test(yes.row.said) || !/^N No\b/u.test(no.row.said) || !/\?/u.test(asked.row.said)) return undefined;
  return {
    question: asked.row.said,
    top: asked.at,
    end: no.at,
    shape: {
      asks: "confirm",
      by: "keys",
      options: [
        { label: "Yes", key: "y" },
        { label: "No", key: "n" },
      ],
      no: 1,
    },
  };
}
