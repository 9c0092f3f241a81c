/** What goes with a prompt, as the transcript shows it: pictures small, files by name; a tap shows the whole. */
import type { Attachment, Upload } from "@flybridge/protocol/attachment.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createResource, createSignal, For, onCleanup, Show, Suspense } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { Sheet } from "../design/sheet.tsx";
import { size } from "../design/size.ts";
import { t } from "../words.ts";
import { isTaken } from "./picture.ts";
import "./attachments.css";

/** Contents that are kept for the next look, and the characters of a text that are shown. */
const MAX_KEPT = 24;
const MAX_TEXT_CHARS = 100_000;

/** By host and hash: the same bytes are fetched once. */
const fetched = new Map<string, Promise<string>>();

/** One thing, wherever its bytes are. */
interface Thing {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  /** Base64. Rejects when the host does not have it, or is away. */
  readonly data: () => Promise<string>;
}

export function AttachedList(props: {
  host: HostHere;
  session: SessionId;
  attachments: readonly Attachment[];
  uploads: readonly Upload[];
}) {
  const things = (): Thing[] => [
    ...props.attachments.map((one) => ({
      name: one.name,
      type: one.type,
      bytes: one.size,
      data: () => contentOf(props.host, props.session, one.hash),
    })),
    ...props.uploads.map((one) => ({
      name: one.name,
      type: one.type,
      bytes: Math.floor((one.data.length * 3) / 4),
      data: () => Promise.resolve(one.data),
    })),
  ];
  const [shown, setShown] = createSignal<Thing>();
  return (
    <>
      <ul class="attached" aria-label={t("Attached")}>
        <For each={things()}>
          {(thing) => (
            <li>
              <Show
                when={isTaken(thing.type)}
                fallback={
                  <button type="button" class="attached-file" onClick={() => setShown(thing)}>
                    <Icon name="file" />
                    <span class="attached-words">
                      <span class="cut" dir="auto">
                        {visibleLine(thing.name)}
                      </span>
                      <small>{size(thing.bytes)}</small>
                    </span>
                  </button>
                }
              >
                <Thumbnail thing={thing} open={() => setShown(thing)} />
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={shown()}>{(thing) => <Viewer thing={thing()} onClose={() => setShown()} />}</Show>
    </>
  );
}

function Thumbnail(props: { thing: Thing; open: () => void }) {
  const [data] = createResource(() => props.thing.data().catch(() => undefined));
  const source = (): string | undefined => {
    const base64 = data.latest;
    return base64 === undefined ? undefined : `data:${props.thing.type};base64,${base64}`;
  };
  return (
    <button
      type="button"
      class="attached-picture"
      aria-label={t("Show {name}", { name: visibleLine(props.thing.name) })}
      onClick={() => props.open()}
    >
      {/* Waiting happens in here: a boundary further out would take the session off the page, and the caret with it. */}
      <Suspense fallback={<Icon name="image" />}>
        <Show when={source()} fallback={<Icon name="image" />}>
          {(address) => <img src={address()} alt="" decoding="async" />}
        </Show>
      </Suspense>
    </button>
  );
}

function Viewer(props: { thing: Thing; onClose: () => void }) {
  const [data] = createResource(async () => {
    try {
      return { base64: await props.thing.data() };
    } catch (fault) {
      return { fault: fault instanceof Error ? fault.message : t("It could not be read.") };
    }
  });
  const base64 = (): string | undefined => data()?.base64;
  const text = (): string | undefined => {
    const content = base64();
    return content === undefined || isTaken(props.thing.type) ? undefined : textIn(content);
  };
  let address: string | undefined;
  onCleanup(() => address !== undefined && URL.revokeObjectURL(address));
  const save = (): void => {
    const bytes = Uint8Array.from(atob(base64() ?? ""), (char) => char.charCodeAt(0));
    // Never as what it says it is: a page of somebody else's must not run here.
    address ??= URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = props.thing.name;
    link.click();
  };
  return (
    <Sheet title={visibleLine(props.thing.name)} onClose={() => props.onClose()} class="attached-sheet">
      <Show when={data()} fallback={<Loading />}>
        <Fault why={data()?.fault} />
        <Show when={isTaken(props.thing.type) && base64()}>
          {(content) => (
            <img class="attached-whole" src={`data:${props.thing.type};base64,${content()}`} alt={props.thing.name} />
          )}
        </Show>
        <Show when={text()}>
          {(words) => (
            <pre class="attached-text" tabindex="0" dir="auto">
              {visible(words().slice(0, MAX_TEXT_CHARS))}
              {words().length > MAX_TEXT_CHARS ? "…" : ""}
            </pre>
          )}
        </Show>
        <p class="attached-end">
          <span class="dim">
            {visibleLine(props.thing.type)} · {size(props.thing.bytes)}
          </span>
          <button type="button" class="button" disabled={base64() === undefined} onClick={save}>
            <Icon name="arrowDown" />
            {t("Save")}
          </button>
        </p>
      </Show>
    </Sheet>
  );
}

function contentOf(host: HostHere, session: SessionId, hash: string): Promise<string> {
  const key = `${host.known.host} ${hash}`;
  const before = fetched.get(key);
  if (before) return before;
  const content = host.replica.call("attachment.read", { session, hash }).then(({ data }) => data);
  fetched.set(key, content);
  // What failed is tried again at the next look.
  content.catch(() => fetched.delete(key));
  for (const old of [...fetched.keys()].slice(0, -MAX_KEPT)) fetched.delete(old);
  return content;
}

/** Undefined when it is not text. */
function textIn(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
