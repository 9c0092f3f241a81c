/** Why something was not done, said when it comes up. */
import { visible } from "@flybridge/protocol/text.ts";
import { Show } from "solid-js";
import { Icon } from "./icon.tsx";

export function Fault(props: { why: string | undefined }) {
  return (
    <Show when={props.why}>
      {(why) => (
        <p class="fault" role="alert">
          <Icon name="alert" small />
          {visible(why())}
        </p>
      )}
    </Show>
  );
}
