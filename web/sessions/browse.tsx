/** The folders of the host, one level at a time. */
import { Offline } from "@flybridge/client/replica.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createResource, createSignal, For, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { t } from "../words.ts";

export function Browse(props: { host: HostHere; from: string; choose: (path: string) => void }) {
  const [path, setPath] = createSignal(props.from);
  const [here] = createResource(path, async (at) => {
    try {
      return await props.host.replica.call("workspace.browse", { path: at });
    } catch (fault) {
      const away = fault instanceof Offline;
      return {
        fault: away
          ? t("{host} does not answer now. Recent folders can still be used.", {
              host: visibleLine(props.host.known.name),
            })
          : String((fault as Error).message),
      };
    }
  });
  const listed = () => {
    const answer = here.latest;
    return answer && "folders" in answer ? answer : undefined;
  };
  const fault = () => {
    const answer = here.latest;
    return answer && "fault" in answer ? answer.fault : undefined;
  };
  return (
    <div class="browse">
      <p class="browse-path mono" dir="ltr">
        {visibleLine(path())}
      </p>
      <Fault why={fault()} />
      <Show
        when={listed()}
        fallback={
          <Show when={here.loading}>
            <Loading />
          </Show>
        }
      >
        {(level) => (
          <ul>
            <Show when={level().parent}>
              {(parent) => (
                <li>
                  <button type="button" class="browse-row" onClick={() => setPath(parent())}>
                    <Icon name="folderUp" />
                    <span>{t("Up")}</span>
                  </button>
                </li>
              )}
            </Show>
            <For each={level().folders} fallback={<li class="dim browse-none">{t("No folders in here.")}</li>}>
              {(folder) => (
                <li>
                  <button type="button" class="browse-row" onClick={() => setPath(folder.path)}>
                    <Icon name="folder" />
                    <bdi class="cut">{visibleLine(folder.name)}</bdi>
                    <Show when={folder.branch}>
                      {(branch) => (
                        <span class="browse-branch cut">
                          <Icon name="git" small />
                          <bdi class="cut">{visibleLine(branch())}</bdi>
                        </span>
                      )}
                    </Show>
                  </button>
                </li>
              )}
            </For>
          </ul>
        )}
      </Show>
      <div class="form-end">
        <button type="button" class="button strong wide" onClick={() => props.choose(path())}>
          {t("Use this folder")}
        </button>
      </div>
    </div>
  );
}
