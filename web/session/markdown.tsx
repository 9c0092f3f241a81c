/** Words of an agent on the page: plain text until the markdown code is there, then markdown that grows. */
import { createEffect, createSignal, on, onCleanup, onMount } from "solid-js";
import type { Growing } from "./growing.ts";
import "./markdown.css";

/** What a frame takes at 60 Hz, in milliseconds: text that comes faster is drawn once a frame. */
const FRAME_MS = 16;

export function Markdown(props: { text: string; open?: boolean; class?: string }) {
  let element!: HTMLDivElement;
  const [growing, setGrowing] = createSignal<Growing>();
  let frame = 0;
  let drawn = -Infinity;
  let gone = false;

  onMount(async () => {
    element.textContent = props.text;
    const { growingMarkdown } = await import("./growing.ts");
    if (gone) return;
    element.replaceChildren();
    element.classList.remove("raw");
    setGrowing(growingMarkdown(element));
  });
  onCleanup(() => {
    gone = true;
    cancelAnimationFrame(frame);
  });

  const draw = (): void => {
    frame = 0;
    drawn = performance.now();
    growing()?.show(props.text, props.open === true);
  };
  createEffect(
    on([growing, () => props.text, () => props.open], ([ready]) => {
      if (!ready || frame !== 0) return;
      if (performance.now() - drawn >= FRAME_MS) draw();
      else frame = requestAnimationFrame(draw);
    }),
  );
  return <div ref={element} class={`markdown raw ${props.class ?? ""}`} />;
}
