// Where photos come from: the camera of this device, the camera of the server, or a file.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Camera, TrayState } from "../api/types";
import { lost, onEvents, settings } from "../look/shared";
import { prefer, preferences, type PhotoSource } from "../look/preferences";
import { useStore } from "../look/store";
import { Choices } from "../parts/choices";
import { Icon } from "../parts/icons";
import { t, type Key } from "../text/translate";
import { takePhoto, useCamera } from "./device_camera";

export interface StageProps {
  onPhoto: (photo: Blob) => void;
  onServerCamera: () => void;
  /** Set by the stage: what the key for taking a photo does. */
  take: { current: () => void };
}

export function Stage(props: StageProps) {
  const shop = useStore(settings);
  const { source } = useStore(preferences);
  const hasServer = shop?.camera === "server";
  const chosen: PhotoSource = source === "server" && !hasServer ? "device" : (source ?? (hasServer ? "server" : "file"));
  const options: { value: PhotoSource; label: string; icon: "camera" | "photo" }[] = [
    ...(hasServer ? [{ value: "server" as const, label: t("source.server"), icon: "camera" as const }] : []),
    { value: "device", label: t("source.device"), icon: "camera" },
    { value: "file", label: t("source.file"), icon: "photo" },
  ];
  return (
    <div class="stage">
      <Choices label={t("source.label")} value={chosen} options={options} onChange={(value) => prefer({ source: value })} />
      {chosen === "device" && <DeviceStage {...props} />}
      {chosen === "server" && <ServerStage {...props} />}
      {chosen === "file" && <FileStage {...props} />}
    </div>
  );
}

function DeviceStage({ onPhoto, take }: StageProps) {
  const { device } = useStore(preferences);
  const { video, trouble, ready, cameras, again } = useCamera(true, device);
  const shoot = () => {
    if (video.current && ready) void takePhoto(video.current).then(onPhoto, () => again());
  };
  take.current = shoot;
  return (
    <>
      <div class="view">
        <video ref={video} playsInline muted aria-label={t("camera.view")} class={ready ? "" : "waiting-video"} />
        {trouble && (
          <div class="view-note" role="alert">
            <Icon name="warning" />
            <p>{t(`camera.${trouble}` as Key)}</p>
            <div class="row wrap centre">
              <button type="button" onClick={again}>
                {t("try_again")}
              </button>
              {device && (
                <button type="button" onClick={() => prefer({ device: "" })}>
                  {t("camera.other")}
                </button>
              )}
            </div>
          </div>
        )}
        {!trouble && !ready && <p class="view-note">{t("camera.starting")}</p>}
      </div>
      <div class="stage-foot">
        {cameras.length > 1 && (
          <label class="inline-field">
            <span class="label">{t("camera.which")}</span>
            <select value={device} onChange={(event) => prefer({ device: event.currentTarget.value })}>
              <option value="">{t("camera.any")}</option>
              {cameras.map(({ id, label }, place) => (
                <option key={id} value={id}>
                  {label || t("camera.number", { place: place + 1 })}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="button" class="primary large grow" disabled={!ready} onClick={shoot}>
          <Icon name="camera" />
          {t("count_tray")}
        </button>
      </div>
    </>
  );
}

function ServerStage({ onServerCamera, take }: StageProps) {
  const [camera, setCamera] = useState<Camera | null>(null);
  const [frame, setFrame] = useState<string | null>(null);
  useEffect(() => {
    let stopped = false;
    let shown: string | null = null;
    const look = async () => {
      let wait = 250;
      try {
        if (!document.hidden) {
          const blob = await api.frame();
          if (stopped) return;
          const next = URL.createObjectURL(blob);
          setFrame(next);
          if (shown) URL.revokeObjectURL(shown);
          shown = next;
        }
      } catch {
        wait = 1500;
      }
      if (!stopped) setTimeout(look, wait);
    };
    const ask = () => api.camera().then((now) => !stopped && setCamera(now), () => undefined);
    void look();
    void ask();
    const timer = setInterval(ask, 3000);
    const quiet = onEvents((type, event) => {
      const state = event.data["state"] ?? (event as unknown as { state?: TrayState }).state;
      if (type === "tray.state" && typeof state === "string")
        setCamera((before) => ({ message: null, size: before?.size ?? null, state: state as TrayState }));
    });
    return () => {
      stopped = true;
      clearInterval(timer);
      quiet();
      if (shown) URL.revokeObjectURL(shown);
    };
  }, []);
  take.current = onServerCamera;
  const state = camera?.state ?? "off";
  return (
    <>
      <div class="view">
        {frame && <img src={frame} alt={t("camera.view")} />}
        {(camera?.message || !frame) && (
          <p class="view-note">{camera?.message ?? t(state === "off" ? "camera.server_off" : "camera.starting")}</p>
        )}
        <p class="tray-state" role="status">
          <span class={`dot ${state}`} aria-hidden="true" />
          {t(`tray.${state}` as Key)}
        </p>
      </div>
      <div class="stage-foot">
        <button type="button" class="primary large grow" disabled={useStore(lost) || state === "off"} onClick={onServerCamera}>
          <Icon name="camera" />
          {t("count_tray")}
        </button>
      </div>
    </>
  );
}

function FileStage({ onPhoto, take }: StageProps) {
  const field = useRef<HTMLInputElement>(null);
  take.current = () => field.current?.click();
  return (
    <div class="view drop-view">
      <div class="drop">
        <Icon name="photo" />
        <p class="drop-title">{t("drop.title")}</p>
        <p class="muted">{t("drop.or")}</p>
        <button type="button" class="primary large" onClick={() => field.current?.click()}>
          {t("drop.choose")}
        </button>
        <input
          ref={field}
          class="visually-hidden"
          type="file"
          accept="image/*"
          tabIndex={-1}
          aria-label={t("drop.choose")}
          onChange={(event) => {
            const photo = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (photo) onPhoto(photo);
          }}
        />
      </div>
    </div>
  );
}
