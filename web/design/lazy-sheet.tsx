/** A sheet whose code comes when it is first opened; nothing is drawn until then. */
import { type Component, lazy, Suspense } from "solid-js";

export function lazySheet<Props extends Record<string, unknown>>(
  load: () => Promise<{ default: Component<Props> }>,
): Component<Props> {
  const Inner = lazy(load);
  return (props) => (
    <Suspense>
      <Inner {...props} />
    </Suspense>
  );
}
