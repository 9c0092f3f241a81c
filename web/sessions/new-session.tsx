/** A new session: which agent, in which folder, with what first words. */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Upload } from "@flybridge/protocol/attachment.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Params } from "@flybridge/protocol/methods.ts";
import type { Size } from "@flybridge/protocol/terminal.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { useNavigate } from "@solidjs/router";
import { createMemo, createResource, createSignal, createUniqueId, For, Show } from "solid-js";
import { hostOf, ownHostsOf, sessionPath, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Sheet } from "../design/sheet.tsx";
import { AttachButton, makeTray, takeDrops, TrayList } from "../session/attachments.tsx";
import { PromptField } from "../session/prompt-field.tsx";
import { letters, pixelsOf } from "../terminal/choices.ts";
import { commandFrom, firstSize } from "../terminal/command.ts";
import { t } from "../words.ts";
import { AgentChoice } from "./agent-choice.tsx";
import { Browse } from "./browse.tsx";
import { folderName, folderParent } from "./grouping.ts";
import "./new-session.css";

const Conversations = lazySheet(() => import("../conversations/conversations.tsx"));

/** Recent folders that are offered without browsing. */
const RECENT_FOLDERS = 5;

export default function NewSession(props: { onClose: () => void; terminal?: boolean }) {
  const deck = useDeck();
  const navigate = useNavigate();
  const id = createUniqueId();
  const [hostId, setHostId] = createSignal<HostId | undefined>(ownHostsOf(deck)[0]?.known.host);
  const host = createMemo(() => hostOf(deck, hostId()));
  const agents = (): readonly AgentInfo[] => host()?.view.agents ?? [];
  const [picked, setPicked] = createSignal<string>();
  const agent = createMemo(
    () =>
      agents().find((one) => one.agent === picked()) ??
      agents().find((one) => !one.problem && (one.terminal === true) === (props.terminal === true)) ??
      agents().find((one) => !one.problem),
  );
  const [folders] = createResource(
    host,
    async (here) => await here.replica.call("workspace.list", {}).catch(() => undefined),
  );
  const recent = createMemo(() => folders.latest?.folders ?? []);
  const [folder, setFolder] = createSignal<string>();
  const workspace = (): string | undefined => folder() ?? recent()[0]?.path;
  const [browsing, setBrowsing] = createSignal(false);
  const [model, setModel] = createSignal("");
  const [mode, setMode] = createSignal("");
  const [prompt, setPrompt] = createSignal("");
  const [command, setCommand] = createSignal("");
  const [earlier, setEarlier] = createSignal(false);
  const tray = makeTray();
  const over = takeDrops(
    (files) => tray.add(files, agent()?.attaches),
    () => agent()?.attaches !== undefined,
  );
  const find = async (text: string): Promise<readonly string[]> => {
    const path = workspace();
    const found = path === undefined ? undefined : await host()?.replica.call("workspace.find", { path, text });
    return found?.paths ?? [];
  };
  const [state, setState] = createSignal<
    { kind: "filling" } | { kind: "starting" } | { kind: "refused"; message: string }
  >({ kind: "filling" });
  const ready = (): boolean =>
    agent() !== undefined &&
    !agent()?.problem &&
    workspace() !== undefined &&
    tray.isReady() &&
    state().kind !== "starting";

  /** A refused one leaves what was attached where it is. */
  const first = (): { prompt?: string; attachments?: Upload[] } => {
    const attachments = agent()?.attaches === undefined ? [] : tray.uploads();
    const text = prompt().trim() || (attachments.length > 0 ? t("Look at this.") : "");
    return { ...(text === "" ? {} : { prompt: text }), ...(attachments.length === 0 ? {} : { attachments }) };
  };
  const program = (): { command?: string[]; size: Size } => {
    const words = commandFrom(command());
    const area = document.querySelector("#main")?.getBoundingClientRect();
    const size = firstSize(area?.width ?? innerWidth, innerHeight, pixelsOf(letters()));
    return { size, ...(words ? { command: words } : {}) };
  };
  const start = async (): Promise<void> => {
    const [chosen, path] = [agent(), workspace()];
    if (!chosen || path === undefined || !ready()) return;
    await create({
      agent: chosen.agent,
      workspace: path,
      ...(model() === "" ? {} : { model: model() }),
      ...(mode() === "" ? {} : { mode: mode() }),
      ...(chosen.terminal ? program() : first()),
    });
  };
  /** The person sees what it does, and can answer what it asks. */
  const install = async ({ install: command }: AgentInfo): Promise<void> => {
    const [shell, path] = [agents().find((one) => one.terminal), folders.latest?.home ?? workspace()];
    if (!command || !shell || path === undefined) return;
    await create({ ...program(), agent: shell.agent, workspace: path, command });
  };
  const create = async (order: Params<"session.create">): Promise<void> => {
    const here = host();
    if (!here) return;
    setState({ kind: "starting" });
    try {
      const { settled } = here.replica.intend("session.create", order);
      const { session } = await settled;
      props.onClose();
      navigate(sessionPath(here.known.host, session));
    } catch (fault) {
      setState({
        kind: "refused",
        message: fault instanceof Error ? fault.message : t("The host could not start it."),
      });
    }
  };

  return (
    <Sheet
      title={browsing() ? t("Choose a folder") : agent()?.terminal ? t("New terminal") : t("New session")}
      onClose={() => (browsing() ? setBrowsing(false) : props.onClose())}
    >
      <Show
        when={!browsing()}
        fallback={
          <Show when={host()}>
            {(here) => (
              <Browse
                host={here()}
                from={workspace() ?? folders.latest?.home ?? "/"}
                choose={(path) => {
                  setFolder(path);
                  setBrowsing(false);
                }}
              />
            )}
          </Show>
        }
      >
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <Show
            when={!agent()?.terminal}
            fallback={
              <div>
                <label class="label" for={`${id}-command`}>
                  {t("Command")}
                </label>
                <input
                  id={`${id}-command`}
                  class="field mono"
                  autofocus
                  autocapitalize="off"
                  autocomplete="off"
                  spellcheck={false}
                  placeholder={t("Your shell, or any program")}
                  value={command()}
                  onInput={(event) => setCommand(event.currentTarget.value)}
                />
              </div>
            }
          >
            <div>
              <label class="label" for={`${id}-prompt`}>
                {t("First prompt")}
              </label>
              <PromptField
                id={`${id}-prompt`}
                class="field"
                rows="3"
                autofocus
                placeholder={t("What should the agent do?")}
                value={prompt()}
                set={setPrompt}
                tray={tray}
                takes={agent()?.attaches}
                find={workspace() === undefined ? undefined : find}
                onKeyDown={(event) => {
                  if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void start();
                }}
              />
              <TrayList tray={tray} />
              <Show when={over()}>
                <p class="drop">{t("Drop to attach")}</p>
              </Show>
              <Show when={agent()?.attaches}>{(takes) => <AttachButton tray={tray} takes={takes()} worded />}</Show>
            </div>
          </Show>
          <Show when={ownHostsOf(deck).length > 1}>
            <div>
              <label class="label" for={`${id}-host`}>
                {t("Host")}
              </label>
              <select
                id={`${id}-host`}
                class="field"
                onChange={(event) => setHostId(event.currentTarget.value as HostId)}
              >
                <For each={ownHostsOf(deck)}>
                  {(one) => <option value={one.known.host}>{visibleLine(one.known.name)}</option>}
                </For>
              </select>
            </div>
          </Show>
          <AgentChoice
            name={`${id}-agent`}
            agents={agents()}
            chosen={agent()}
            choose={(one) => {
              setPicked(one.agent);
              setModel("");
              setMode("");
            }}
            install={(one) => void install(one)}
          />
          <fieldset>
            <legend class="label">{t("Folder")}</legend>
            <Show
              when={
                workspace() !== undefined &&
                !recent()
                  .slice(0, RECENT_FOLDERS)
                  .some((one) => one.path === workspace()) &&
                workspace()
              }
            >
              {(path) => <FolderOption name={`${id}-folder`} path={path()} chosen choose={() => undefined} />}
            </Show>
            <For each={recent().slice(0, RECENT_FOLDERS)}>
              {(one) => (
                <FolderOption
                  name={`${id}-folder`}
                  path={one.path}
                  branch={one.branch}
                  chosen={workspace() === one.path}
                  choose={() => setFolder(one.path)}
                />
              )}
            </For>
            <button type="button" class="button wide" onClick={() => setBrowsing(true)}>
              <Icon name="folder" />
              {t("Another folder")}
            </button>
          </fieldset>
          <Show when={agent()}>
            {(chosen) => (
              <div class="form-pair">
                <Select label={t("Model")} options={chosen().models} value={model()} set={setModel} />
                <Select label={t("Mode")} options={chosen().modes} value={mode()} set={setMode} />
              </div>
            )}
          </Show>
          <Show when={state().kind === "refused" && state()}>
            {(refused) => (
              <p class="fault" role="alert">
                <Icon name="alert" small />
                {visible((refused() as { message: string }).message)}
              </p>
            )}
          </Show>
          <div class="form-end">
            <button type="submit" class="button strong wide" disabled={!ready()}>
              {state().kind === "starting" ? t("Starting") : t("Start")}
            </button>
            <Show when={agents().some((one) => one.remembers)}>
              <button type="button" class="button plain wide" onClick={() => setEarlier(true)}>
                <Icon name="undo" />
                {t("Continue an earlier one")}
              </button>
            </Show>
          </div>
        </form>
        <Show when={earlier() && host()}>
          {(here) => (
            <Conversations
              host={here()}
              opened={(session) => {
                props.onClose();
                navigate(sessionPath(here().known.host, session));
              }}
              onClose={() => setEarlier(false)}
            />
          )}
        </Show>
      </Show>
    </Sheet>
  );
}

function FolderOption(props: {
  name: string;
  path: string;
  branch?: string | undefined;
  chosen: boolean;
  choose: () => void;
}) {
  return (
    <label class="option" classList={{ chosen: props.chosen }}>
      <input type="radio" name={props.name} checked={props.chosen} onChange={() => props.choose()} />
      <span class="cut">
        <span class="option-label cut">
          <bdi>{visibleLine(folderName(props.path))}</bdi>
        </span>
        <small class="cut" dir="ltr">
          {visibleLine(folderParent(props.path))}
          <Show when={props.branch}>{(branch) => <span> · {visibleLine(branch())}</span>}</Show>
        </small>
      </span>
    </label>
  );
}

export function Select(props: {
  label: string;
  options: readonly { value: string; label: string; detail?: string | undefined }[];
  value: string;
  set: (value: string) => void;
  /** Without it, the first choice is the agent's own default. */
  known?: boolean;
}) {
  const id = createUniqueId();
  return (
    <Show when={props.options.length > 0}>
      <div>
        <label class="label" for={id}>
          {props.label}
        </label>
        <select id={id} class="field" value={props.value} onChange={(event) => props.set(event.currentTarget.value)}>
          <Show when={!props.known || !props.options.some((one) => one.value === props.value)}>
            <option value={props.known ? props.value : ""}>
              {props.known && props.value !== "" ? visibleLine(props.value) : t("As the agent chooses")}
            </option>
          </Show>
          <For each={props.options}>{(one) => <option value={one.value}>{visibleLine(one.label)}</option>}</For>
        </select>
      </div>
    </Show>
  );
}
