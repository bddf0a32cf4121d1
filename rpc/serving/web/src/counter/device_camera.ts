// The camera of this device: opened, shown, and one photo taken of it.
import { useEffect, useRef, useState } from "preact/hooks";

export type CameraTrouble = "not_allowed" | "none" | "in_use" | "not_secure" | "failed";

export function troubleOf(error: unknown): CameraTrouble {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "not_allowed";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  if (name === "NotReadableError" || name === "AbortError") return "in_use";
  return "failed";
}

/** Opens a camera while `on`; `device` is the id of one, or "" for the one that looks away from the person. */
export function useCamera(on: boolean, device: string) {
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState<CameraTrouble | null>(null);
  const [ready, setReady] = useState(false);
  const [cameras, setCameras] = useState<{ id: string; label: string }[]>([]);
  const [round, setRound] = useState(0);

  useEffect(() => {
    if (!on) return;
    let stopped = false;
    let stream: MediaStream | null = null;
    const stop = () => stream?.getTracks().forEach((track) => track.stop());
    const start = async () => {
      if (!navigator.mediaDevices?.getUserMedia) {
        setTrouble(window.isSecureContext ? "none" : "not_secure");
        return;
      }
      const size = { width: { ideal: 1920 }, height: { ideal: 1440 } };
      const which = device ? { deviceId: { exact: device } } : { facingMode: "environment" };
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...size, ...which } });
        if (stopped) return stop();
        setTrouble(null);
        for (const track of stream.getTracks()) track.addEventListener("ended", () => !stopped && setRound((n) => n + 1));
        const shown = video.current;
        if (shown) {
          shown.srcObject = stream;
          await shown.play().catch(() => undefined);
          setReady(true);
        }
        const found = await navigator.mediaDevices.enumerateDevices();
        const own = found.filter((one) => one.kind === "videoinput");
        if (!stopped) setCameras(own.map(({ deviceId, label }) => ({ id: deviceId, label })));
      } catch (error) {
        if (!stopped) setTrouble(troubleOf(error));
      }
    };
    void start();
    return () => {
      stopped = true;
      stop();
      setReady(false);
    };
  }, [on, device, round]);

  return { video, trouble, ready, cameras, again: () => setRound((n) => n + 1) };
}

/** What the camera shows now, as JPEG. */
export function takePhoto(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")!.drawImage(video, 0, 0);
  return new Promise((done, failed) =>
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/jpeg", 0.92),
  );
}
