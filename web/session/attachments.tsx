/** What goes with the prompt that is being written: taken from camera, photos, files, the clipboard or a drop. */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Upload } from "@flybridge/protocol/attachment.ts";
import { MAX_ATTACHMENT_CHARS, MAX_ATTACHMENTS, MAX_LABEL_CHARS } from "@flybridge/protocol/limits.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, For, type JSX, onCleanup, onMount, Show } from "solid-js";
import { createStore } from "solid-js/store";
import { Icon } from "../design/icon.tsx";
import { Menu, MenuItem } from "../design/menu.tsx";
import { size } from "../design/size.ts";
import { t } from "../words.ts";
import { fitted, isTaken } from "./picture.ts";
import "./attachments.css";

/** Bytes of all that goes with one prompt; as base64 they are a third more. */
const MAX_BYTES = Math.floor(MAX_ATTACHMENT_CHARS / 4) * 3 - MAX_ATTACHMENTS * 3;
/** Trays of sessions that were left with something in them. */
const MAX_TRAYS_KEPT = 8;
const DEFAULT_TYPE = "application/octet-stream";

type Takes = AgentInfo["attaches"];

interface Put {
  readonly id: number;
  readonly name: string;
  state: "reading" | "ready" | "refused";
  /** Why it does not go along. */
  refusal?: string;
  upload?: Upload;
  bytes: number;
  /** An address of the picture, for as long as the tray has it. */
  preview?: string;
}

export interface Tray {
  readonly list: readonly Put[];
  /** Nothing is still being read. What was refused says so, and holds up nothing. */
  readonly isReady: () => boolean;
  /** Nothing would go along. */
  readonly isEmpty: () => boolean;
  add(files: Iterable<File>, takes: Takes): void;
  remove(id: number): void;
  /** What goes along. */
  uploads(): Upload[];
  /** The same; the tray is empty then. */
  take(): Upload[];
}

const kept = new Map<string, Tray>();

/** The tray of a session, as it was left. */
export function trayOf(session: string): Tray {
  const tray = kept.get(session) ?? makeTray();
  kept.delete(session);
  kept.set(session, tray);
  for (const [old, { list }] of [...kept].slice(0, -MAX_TRAYS_KEPT))
    if (list.length === 0 || kept.size > MAX_TRAYS_KEPT) kept.delete(old);
  return tray;
}

export function makeTray(): Tray {
  const [list, set] = createStore<Put[]>([]);
  let count = 0;
  const bytes = (): number => list.reduce((sum, one) => sum + one.bytes, 0);
  const change = (id: number, change: Partial<Put>): void => set((one) => one.id === id, change);

  const uploads = (): Upload[] => list.flatMap((one) => (one.upload ? [{ ...one.upload }] : []));

  const read = async (file: File, id: number, takes: Takes): Promise<void> => {
    const room = MAX_BYTES - bytes();
    const isPicture = file.type.startsWith("image/");
    const picture = isPicture ? await fitted(file, room) : undefined;
    const most = t("At most {size} go with one prompt.", { size: size(MAX_BYTES) });
    if (takes !== "files" && !picture) {
      const refusal = isPicture && !isTaken(file.type) ? t("This browser cannot read this picture.") : most;
      return change(id, { state: "refused", refusal });
    }
    const content: Blob = picture ?? file;
    if (content.size === 0) return change(id, { state: "refused", refusal: t("It is empty.") });
    if (content.size > MAX_BYTES - bytes())
      return change(id, { state: "refused", refusal: t("It has {size}.", { size: size(content.size) }) + ` ${most}` });
    // Counted before it is read: the next one must not take the same room.
    change(id, { bytes: content.size });
    const data = await base64Of(content).catch(() => undefined);
    if (data === undefined) return change(id, { state: "refused", bytes: 0, refusal: t("It could not be read.") });
    const type = typeOf(content.type || file.type);
    const name = shortened(nameOf(file, type), MAX_LABEL_CHARS);
    if (!list.some((one) => one.id === id)) return;
    change(id, {
      state: "ready",
      upload: { name, type, data },
      ...(isTaken(type) ? { preview: URL.createObjectURL(content) } : {}),
    });
  };

  return {
    list,
    isReady: () => list.every((one) => one.state !== "reading"),
    isEmpty: () => list.every((one) => one.state !== "ready"),
    add(files, takes) {
      for (const file of files) {
        const id = ++count;
        const given = { id, name: visibleLine(file.name) || t("Picture"), bytes: 0 };
        if (list.filter((one) => one.state !== "refused").length >= MAX_ATTACHMENTS) {
          const refusal = t("At most {n} things go with one prompt.", { n: MAX_ATTACHMENTS });
          set(list.length, { ...given, state: "refused", refusal });
        } else if (takes !== "files" && !file.type.startsWith("image/")) {
          set(list.length, { ...given, state: "refused", refusal: t("This agent takes pictures only.") });
        } else {
          set(list.length, { ...given, state: "reading" });
          void read(file, id, takes);
        }
      }
    },
    remove(id) {
      const preview = list.find((one) => one.id === id)?.preview;
      if (preview !== undefined) URL.revokeObjectURL(preview);
      set((all) => all.filter((one) => one.id !== id));
    },
    uploads,
    take() {
      const taken = uploads();
      for (const { preview } of list) if (preview !== undefined) URL.revokeObjectURL(preview);
      set([]);
      return taken;
    },
  };
}

/** What is in the tray, each with a way out of it. */
export function TrayList(props: { tray: Tray }) {
  return (
    <Show when={props.tray.list.length > 0}>
      <ul class="tray" aria-label={t("Attached")}>
        <For each={props.tray.list}>
          {(one) => (
            <li class="tray-item" data-state={one.state}>
              <Show
                when={one.preview}
                fallback={
                  <span class="tray-file">
                    <Icon name={one.state === "refused" ? "alert" : "file"} />
                  </span>
                }
              >
                {(preview) => <img src={preview()} alt="" />}
              </Show>
              <span class="tray-words">
                <span class="cut" dir="auto">
                  {one.name}
                </span>
                <small role={one.state === "refused" ? "alert" : undefined}>
                  {one.state === "reading"
                    ? t("Getting it ready")
                    : one.state === "refused"
                      ? `${t("Not attached.")} ${one.refusal ?? ""}`
                      : size(one.bytes)}
                </small>
              </span>
              <button
                type="button"
                class="icon-button"
                aria-label={t("Remove {name}", { name: one.name })}
                title={t("Remove")}
                onClick={() => props.tray.remove(one.id)}
              >
                <Icon name="close" small />
              </button>
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}

/** With a finger, where from is asked first; a mouse goes to the files. */
export function AttachButton(props: { tray: Tray; takes: Takes; worded?: boolean }) {
  const id = createUniqueId();
  const touch = matchMedia("(pointer: coarse)").matches;
  const [source, setSource] = createSignal<"camera" | "photos" | "files">(props.takes === "files" ? "files" : "photos");
  let input!: HTMLInputElement;
  const pick = (from: "camera" | "photos" | "files"): void => {
    setSource(from);
    input.click();
  };
  const label = (): string => (props.takes === "files" ? t("Attach pictures or files") : t("Attach pictures"));
  const look = props.worded ? "button plain attach" : "icon-button attach";
  const face = (): JSX.Element => (
    <>
      <Icon name="attach" />
      {props.worded ? label() : undefined}
    </>
  );
  return (
    <>
      <input
        ref={input}
        id={id}
        class="unseen"
        type="file"
        tabindex="-1"
        aria-hidden="true"
        multiple={source() !== "camera"}
        accept={source() === "files" ? undefined : "image/*"}
        capture={source() === "camera" ? "environment" : undefined}
        onChange={(event) => {
          props.tray.add([...(event.currentTarget.files ?? [])], props.takes);
          event.currentTarget.value = "";
        }}
      />
      <Show
        when={touch}
        fallback={
          <button
            type="button"
            class={look}
            aria-label={label()}
            title={label()}
            onClick={() => pick(props.takes === "files" ? "files" : "photos")}
          >
            {face()}
          </button>
        }
      >
        <Menu label={label()} class={look} trigger={face()}>
          <MenuItem onChoose={() => pick("camera")}>
            <Icon name="camera" />
            <span>{t("Take a picture")}</span>
          </MenuItem>
          <MenuItem onChoose={() => pick("photos")}>
            <Icon name="image" />
            <span>{t("Photos")}</span>
          </MenuItem>
          <Show when={props.takes === "files"}>
            <MenuItem onChoose={() => pick("files")}>
              <Icon name="file" />
              <span>{t("Files")}</span>
            </MenuItem>
          </Show>
        </Menu>
      </Show>
    </>
  );
}

/** Who takes what is dropped on the page: the newest field, for a sheet lies above the session. */
const takers: ((files: File[]) => void)[] = [];

/** Takes what is dropped anywhere on the page, while it is shown. True while something hangs over it. */
export function takeDrops(take: (files: File[]) => void, able: () => boolean): () => boolean {
  const [over, setOver] = createSignal(false);
  let depth = 0;
  const mine = (event: DragEvent): boolean =>
    takers.at(-1) === take && able() && [...(event.dataTransfer?.types ?? [])].includes("Files");
  const entered = (event: DragEvent): void => {
    if (!mine(event)) return;
    depth++;
    setOver(true);
  };
  const left = (event: DragEvent): void => {
    if (mine(event) && --depth <= 0) setOver(false);
  };
  const hangs = (event: DragEvent): void => {
    if (!mine(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  };
  const dropped = (event: DragEvent): void => {
    depth = 0;
    setOver(false);
    if (!mine(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  };
  onMount(() => {
    takers.push(take);
    document.addEventListener("dragenter", entered);
    document.addEventListener("dragleave", left);
    document.addEventListener("dragover", hangs);
    document.addEventListener("drop", dropped);
  });
  onCleanup(() => {
    takers.splice(takers.indexOf(take), 1);
    document.removeEventListener("dragenter", entered);
    document.removeEventListener("dragleave", left);
    document.removeEventListener("dragover", hangs);
    document.removeEventListener("drop", dropped);
  });
  return over;
}

function base64Of(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    // Asked for as an address, it is text.
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/u, ""));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsDataURL(content);
  });
}

/** Without parameters, and only what the protocol takes. */
function typeOf(type: string): string {
  const bare = (type.split(";")[0] ?? "").trim().toLowerCase();
  return /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/u.test(bare) ? bare : DEFAULT_TYPE;
}

/** A picture that became a JPEG is called one; what the clipboard gives has no name worth telling. */
function nameOf(file: File, type: string): string {
  if (file.name === "") return t("Picture");
  return type === "image/jpeg" && file.type !== "image/jpeg" ? file.name.replace(/\.[^.]*$/u, "") + ".jpg" : file.name;
}
