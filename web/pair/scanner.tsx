/** The camera, asked for by this tap and let go when the code is read. Frames are decoded here and go nowhere. */
import { createSignal, onCleanup, onMount, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";

/** Longest side of a frame that is searched, in pixels, and the pause between two, in milliseconds. */
const FRAME_PX = 640;
const PAUSE_MS = 90;

export default function Scanner(props: { found: (text: string) => void; leave: () => void }) {
  let video!: HTMLVideoElement;
  let stream: MediaStream | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;
  const [fault, setFault] = createSignal<string>();
  const [seeing, setSeeing] = createSignal(false);

  const stop = (): void => {
    gone = true;
    clearTimeout(timer);
    stream?.getTracks().forEach((track) => track.stop());
  };
  onCleanup(stop);
  onMount(async () => {
    if (!navigator.mediaDevices?.getUserMedia) {
      setFault(
        t(
          "This page cannot use the camera: browsers allow it only on a secure address. Paste the connection string instead.",
        ),
      );
      return;
    }
    try {
      const [camera, { default: decodeQR }] = await Promise.all([
        navigator.mediaDevices.getUserMedia({
          video: { facingMode: "environment", width: { ideal: 1280 } },
          audio: false,
        }),
        import("qr/decode.js"),
      ]);
      stream = camera;
      if (gone) return stop();
      video.srcObject = camera;
      await video.play();
      setSeeing(true);
      const canvas = document.createElement("canvas");
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      const look = (): void => {
        if (gone || !pen) return;
        const scale = Math.min(1, FRAME_PX / Math.max(1, video.videoWidth, video.videoHeight));
        canvas.width = Math.round(video.videoWidth * scale);
        canvas.height = Math.round(video.videoHeight * scale);
        if (canvas.width > 0 && canvas.height > 0) {
          pen.drawImage(video, 0, 0, canvas.width, canvas.height);
          const text = readFrom(pen.getImageData(0, 0, canvas.width, canvas.height), decodeQR);
          if (text !== undefined) {
            stop();
            navigator.vibrate?.(12);
            props.found(text);
            return;
          }
        }
        timer = setTimeout(look, PAUSE_MS);
      };
      look();
    } catch (reason) {
      setFault(cameraFault(reason));
    }
  });

  return (
    <div class="scanner">
      <Show
        when={fault()}
        fallback={
          <>
            <div class="scanner-view">
              <video ref={video} playsinline muted aria-label={t("What the camera sees")} />
              <span class="scanner-frame" aria-hidden="true" />
            </div>
            <p class="dim" role="status">
              {seeing()
                ? t("Hold the code in the frame.")
                : t("Waiting for the camera. Your browser may ask you first.")}
            </p>
          </>
        }
      >
        {(message) => (
          <p class="fault" role="alert">
            <Icon name="alert" small />
            {message()}
          </p>
        )}
      </Show>
      <button type="button" class="button wide" onClick={() => props.leave()}>
        {t("Paste instead")}
      </button>
    </div>
  );
}

/** A frame without a readable code throws: that is the usual case, not a fault. */
function readFrom(frame: ImageData, decode: (image: ImageData) => string): string | undefined {
  try {
    return decode(frame);
  } catch {
    return undefined;
  }
}

function cameraFault(reason: unknown): string {
  const name = reason instanceof DOMException ? reason.name : "";
  if (name === "NotAllowedError")
    return t(
      "The camera is not allowed for this page. Allow it in the browser's site settings, or paste the connection string.",
    );
  if (name === "NotFoundError") return t("This device has no camera. Paste the connection string instead.");
  return t("The camera could not be started; another program may be using it. Paste the connection string instead.");
}
