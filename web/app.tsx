/** The frame around every screen: sidebar or tabs, the keys, what was just said; and the routes. */
import type { Bridge } from "@flybridge/client/bridge.ts";
import type { KnownHost } from "@flybridge/client/replica.ts";
import { A, Navigate, Route, type RouteSectionProps, Router, useLocation, useNavigate } from "@solidjs/router";
import {
  type Component,
  createEffect,
  createMemo,
  createSignal,
  ErrorBoundary,
  For,
  type JSX,
  lazy,
  onCleanup,
  onMount,
  Show,
  Suspense,
} from "solid-js";
import { DeckContext, type HostHere, hostsOf, makeDeck, ownHostsOf, sessionPath, useDeck } from "./deck.ts";
import "./design/base.css";
import "./app.css";
import { Icon, type IconName, loadIcons } from "./design/icon.tsx";
import { lazySheet } from "./design/lazy-sheet.tsx";
import { Loading } from "./design/loading.tsx";
import { Mark } from "./design/mark.tsx";
import { ToastList } from "./design/toasts.tsx";
import { changedPath, isChanged } from "./host/changed.ts";
import { digestOf } from "./inbox/digest.ts";
import Inbox from "./inbox/inbox.tsx";
import type { Served } from "./served.ts";
import { counted, t } from "./words.ts";

/** At the side of a wide screen it comes a moment after the screen itself; on a phone it is another screen. */
const SessionList = lazySheet(() => import("./sessions/session-list.tsx"));
const Sessions = lazy(() => import("./sessions/sessions.tsx"));
const Session = lazy(() => import("./session/session.tsx"));
const Devices = lazy(() => import("./device/devices.tsx"));
const Shadow = lazy(() => import("./host/shadow.tsx"));
const Rules = lazy(() => import("./rules/rules.tsx"));
const Audit = lazy(() => import("./audit/audit.tsx"));
const Remote = lazy(() => import("./remote/remote.tsx"));
const AccountPage = lazy(() => import("./account/account.tsx"));
const AccountBanner = lazySheet(() => import("./account/account-banner.tsx"));
const RemoteStatus = lazySheet(() => import("./remote/remote-status.tsx"));
const otherHost = () => import("./host/other-host.tsx");
const pair = () => import("./pair/pair.tsx");
const banner = () => import("./host/banner.tsx");
const ConnectionBanner = lazySheet<{ host: HostHere }>(() =>
  banner().then((one) => ({ default: one.ConnectionBanner })),
);
const OtherHost = lazy(otherHost);
const Pair = lazy(pair);
const PairingWatch = lazySheet(() => import("./pairing/pairing-watch.tsx"));
const NewSession = lazySheet(() => import("./sessions/new-session.tsx"));
const Palette = lazySheet(() => import("./keys/palette.tsx"));
const KeysSheet = lazySheet(() => import("./keys/keys-sheet.tsx"));

/** Where the app stands: a browser's address, or the gallery's memory. */
export type AppRouter = Component<Parameters<typeof Router>[0]>;

export function App(props: { bridge: Bridge; servedBy: () => Promise<Served>; router?: AppRouter }) {
  const deck = makeDeck(props.bridge, props.servedBy);
  const Kind = props.router ?? Router;
  return (
    <DeckContext.Provider value={deck}>
      <Kind root={Frame}>
        <Route path="/" component={Inbox} />
        <Route path="/sessions" component={Sessions} />
        <Route path="/session/:host/:session" component={Session} />
        <Route path="/devices" component={Devices} />
        <Route path="/rules" component={Rules} />
        <Route path="/audit" component={Audit} />
        <Route path="/remote" component={Remote} />
        <Route path="/account" component={AccountPage} />
        <Route path="/other-host/:host" component={OtherHost} />
        <Route path={["/pair", "/join"]} component={Pair} />
        <Route path="*" component={() => <Navigate href="/" />} />
      </Kind>
    </DeckContext.Provider>
  );
}

function Frame(props: RouteSectionProps) {
  const deck = useDeck();
  const location = useLocation();
  const navigate = useNavigate();
  const hosts = createMemo(() => hostsOf(deck));
  const digest = createMemo(() => digestOf(hosts(), deck.answering.isPutAway));
  const [open, setOpen] = createSignal<"new" | "terminal" | "palette" | "keys">();
  const unpaired = (): boolean => deck.bridge.hosts.value.read && deck.bridge.hosts.value.list.length === 0;
  const accounts = (): { readonly at: readonly string[]; readonly read: boolean } => deck.bridge.accounts.value;
  /** Who has no host may have an account that has some. */
  const read = (): boolean => deck.bridge.hosts.value.read && (!unpaired() || accounts().read);
  const isPairing = (): boolean => location.pathname === "/pair" || location.pathname === "/join";
  /** One session of somebody's was shared with this device, and it has nothing else: no inbox, no lists. */
  const guest = (): KnownHost | undefined => {
    const { list } = deck.bridge.hosts.value;
    return list.every(({ only }) => only !== undefined) ? list.at(-1) : undefined;
  };
  /** From the first device on that waits to be let in: how the last one ended has to be read as well. */
  const pairs = createMemo<boolean>(
    (before) => before || hosts().some(({ view }) => Object.keys(view.pairings).length > 0),
    false,
  );
  const changed = createMemo(() => (hosts().length === 1 ? hosts().find(isChanged) : undefined));
  const alone = (): boolean =>
    unpaired() || isPairing() || guest() !== undefined || location.pathname.startsWith("/other-host/");
  const inSession = (): boolean => location.pathname.startsWith("/session/");

  createEffect(() => {
    if (isPairing() || !read()) return;
    const other = changed();
    const only = guest();
    if (unpaired()) {
      if (location.pathname !== "/account")
        navigate(accounts().at.length > 0 ? "/account" : "/pair", { replace: true });
    } else if (other) navigate(changedPath(other.known.host), { replace: true });
    else if (only?.only !== undefined && !inSession()) navigate(sessionPath(only.host, only.only), { replace: true });
  });
  createEffect(() => {
    const waiting = digest().waiting.length;
    document.title = waiting === 0 ? "Flybridge" : `(${waiting}) Flybridge`;
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (icon) icon.href = waiting === 0 ? "/favicon.svg" : "/favicon-waiting.svg";
    void navigator.setAppBadge?.(waiting).catch(() => undefined);
  });
  const openUnlessGuest = (what: "new" | "terminal" | "palette" | "keys"): void => {
    if (!guest()) setOpen(what);
  };
  onMount(() => {
    const keys = import("./keys/keys.ts").then(({ listenForKeys }) =>
      listenForKeys({ navigate, open: openUnlessGuest }),
    );
    onCleanup(() => void keys.then((stop) => stop()));
    loadIcons();
    deck.bridge.findAccounts().catch(() => undefined);
    // They are for when nothing, or something else, answers where the app came from: then it is too late to load them.
    void Promise.all([keys, otherHost(), pair(), banner()]).catch(() => undefined);
  });
  onMount(() => {
    const awake = (): void => hosts().forEach((host) => host.replica.notice({ kind: "awake" }));
    const seen = (): void =>
      hosts().forEach((host) => host.replica.notice({ kind: "visible", visible: !document.hidden }));
    const closing = (): void => hosts().forEach((host) => host.replica.notice({ kind: "closing" }));
    addEventListener("online", awake);
    addEventListener("pagehide", closing);
    document.addEventListener("visibilitychange", seen);
    onCleanup(() => {
      removeEventListener("online", awake);
      removeEventListener("pagehide", closing);
      document.removeEventListener("visibilitychange", seen);
    });
  });

  return (
    <div class="frame" classList={{ alone: alone(), "in-session": inSession() }}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>("#main")?.focus();
        }}
      >
        {t("To the content")}
      </a>
      <Show when={!alone()}>
        <nav class="sidebar" aria-label={t("Sessions and screens")}>
          <div class="brand">
            <Mark />
            <span class="brand-name">Flybridge</span>
            <button
              type="button"
              class="icon-button"
              aria-label={t("Go to")}
              title={t("Go to (⌘K)")}
              onClick={() => setOpen("palette")}
            >
              <Icon name="command" />
            </button>
          </div>
          <div class="sidebar-nav">
            <Tab href="/" icon="inbox" label={t("Inbox")} count={digest().waiting.length} />
            <Tab href="/devices" icon="phone" label={t("Devices")} />
            <Tab href="/remote" icon="relay" label={t("Remote")}>
              <RemoteStatus />
            </Tab>
            <button type="button" class="tab" onClick={() => setOpen("new")}>
              <Icon name="plus" />
              <span>{t("New session")}</span>
            </button>
            <button type="button" class="tab" onClick={() => setOpen("terminal")}>
              <Icon name="terminal" />
              <span>{t("New terminal")}</span>
            </button>
          </div>
          <div class="sidebar-list">
            <SessionList />
          </div>
          <Suspense>
            <Shadow hosts={ownHostsOf(deck)} />
          </Suspense>
          <ul class="sidebar-hosts">
            <For each={hosts()}>
              {(host) => (
                <li>
                  <span
                    class="host-dot"
                    classList={{
                      live: host.view.connection.kind === "live",
                      off: host.view.connection.kind !== "live" && host.view.connection.kind !== "connecting",
                    }}
                    aria-hidden="true"
                  />
                  <bdi class="cut">{host.known.name}</bdi>
                  <span class="dim">
                    {host.view.connection.kind === "live"
                      ? host.view.connection.relay === undefined
                        ? t("live")
                        : t("by relay")
                      : host.view.connection.kind === "connecting"
                        ? t("connecting")
                        : host.view.connection.kind === "offline"
                          ? t("away")
                          : t("refused")}
                  </span>
                </li>
              )}
            </For>
          </ul>
        </nav>
      </Show>
      <main id="main" class="main" tabindex="-1">
        <Show when={!alone() && !inSession()}>
          <For each={hosts()}>{(host) => <ConnectionBanner host={host} />}</For>
          <Show when={accounts().at.length > 0 && location.pathname !== "/account"}>
            <AccountBanner />
          </Show>
        </Show>
        <ErrorBoundary
          fallback={(fault: unknown, again) => (
            <div class="empty">
              <h2>{t("This screen could not be drawn")}</h2>
              <p>{String(fault)}</p>
              <button type="button" class="button" onClick={again}>
                {t("Try again")}
              </button>
            </div>
          )}
        >
          <Suspense
            fallback={
              <div class="screen">
                <Loading />
              </div>
            }
          >
            <Show
              when={read()}
              fallback={
                <div class="screen">
                  <Loading />
                </div>
              }
            >
              {props.children}
            </Show>
          </Suspense>
        </ErrorBoundary>
      </main>
      <Show when={!alone() && !inSession()}>
        <nav class="tabs" aria-label={t("Screens")}>
          <Tab href="/" icon="inbox" label={t("Inbox")} count={digest().waiting.length} />
          <Tab href="/sessions" icon="sessions" label={t("Sessions")} />
          <Tab href="/devices" icon="phone" label={t("Devices")} />
        </nav>
      </Show>
      <Show when={pairs()}>
        <PairingWatch />
      </Show>
      <ToastList toasts={deck.toasts} />
      <Show when={open() === "new"}>
        <NewSession onClose={() => setOpen()} />
      </Show>
      <Show when={open() === "terminal"}>
        <NewSession terminal onClose={() => setOpen()} />
      </Show>
      <Show when={open() === "palette"}>
        <Palette onClose={() => setOpen()} open={setOpen} />
      </Show>
      <Show when={open() === "keys"}>
        <KeysSheet onClose={() => setOpen()} />
      </Show>
    </div>
  );
}

function Tab(props: { href: string; icon: IconName; label: string; count?: number; children?: JSX.Element }) {
  return (
    <A href={props.href} end class="tab" activeClass="here">
      <Icon name={props.icon} />
      <span>{props.label}</span>
      <Show when={(props.count ?? 0) > 0}>
        <span class="badge num" aria-label={counted(props.count ?? 0, "{n} thing needs you", "{n} things need you")}>
          {props.count}
        </span>
      </Show>
      {props.children}
    </A>
  );
}
