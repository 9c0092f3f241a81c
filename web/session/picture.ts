/** Pictures made to fit: scaled down on this device, so that a phone's photo goes with a prompt and costs no more than it shows. */

/** Pixels of the longer side: models look at no more, and screenshots stay readable. */
const MAX_SIDE_PX = 2_000;
/** Bytes up to which a picture of that size goes as it is. */
const PLAIN_BYTES = 1_200_000;
/** Tried in order until it fits. */
const TRIES = [
  { side: MAX_SIDE_PX, quality: 0.85 },
  { side: MAX_SIDE_PX, quality: 0.6 },
  { side: 1_400, quality: 0.7 },
  { side: 1_000, quality: 0.7 },
] as const;

/** What agents and models take as a picture. */
const TAKEN: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export function isTaken(type: string): boolean {
  return TAKEN.has(type);
}

/** The picture in at most `room` bytes, itself where it fits. Undefined when this browser cannot read it, or nothing helps. */
export async function fitted(file: File, room: number): Promise<Blob | undefined> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return undefined;
  }
  try {
    const side = Math.max(picture.width, picture.height);
    const isSmall = side <= MAX_SIDE_PX && file.size <= Math.min(room, PLAIN_BYTES);
    // One that moves would stand still.
    const moves = file.type === "image/gif" && file.size <= room;
    if (TAKEN.has(file.type) && (isSmall || moves)) return file;
    if (file.type === "image/png" && side > MAX_SIDE_PX) {
      const drawn = await draw(picture, MAX_SIDE_PX, "image/png");
      if (drawn && drawn.size <= Math.min(room, PLAIN_BYTES)) return drawn;
    }
    for (const { side: longest, quality } of TRIES) {
      const drawn = await draw(picture, longest, "image/jpeg", quality);
      if (drawn && drawn.size <= room) return drawn;
    }
    return undefined;
  } finally {
    picture.close();
  }
}

function draw(picture: ImageBitmap, longest: number, type: string, quality?: number): Promise<Blob | null> {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  if (!context) return Promise.resolve(null);
  // What is clear in a PNG is white in a JPEG.
  if (type === "image/jpeg") {
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}
