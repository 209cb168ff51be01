// The camera behind the guide frame: it opens, says several times a second what it sees, and gives a photograph of the
// card and a little around it. It closes as soon as nobody looks; a picture leaves this device only when it is taken.

import { AROUND, type Grey, grey, type Sight, sightOf } from './card_sight.ts';

/** Width of the guide frame as a share of the view, and the shape of a card; `issuance.css` draws the same. */
export const GUIDE = { share: 0.88, ratio: 85.6 / 54 };

const LOOK_MS = 180;
const OVERVIEW = { width: 192, height: 121 };
const DETAIL = { width: 320, height: 200 };
const PHOTO_AROUND = 1.25;
const PHOTO_MOST = 2400;
const QUALITY = 0.92;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #seen: (sight: Sight) => void;
  readonly #small = canvas(OVERVIEW.width, OVERVIEW.height);
  readonly #large = canvas(DETAIL.width, DETAIL.height);
  #stream: MediaStream | null = null;
  #before: Grey | null = null;
  #beat: ReturnType<typeof setInterval> | undefined;

  constructor(video: HTMLVideoElement, seen: (sight: Sight) => void) {
    this.#video = video;
    this.#seen = seen;
  }

  get open(): boolean {
    return this.#stream !== null;
  }

  /** Asks for the camera at the back. Throws DOMException where there is none or it is refused. */
  async start(): Promise<void> {
    const wanted = { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1440 } };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted });
    this.stop();
    this.#stream = stream;
    this.#video.srcObject = stream;
    await this.#video.play();
    this.#beat = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#beat);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#before = null;
    this.#video.srcObject = null;
  }

  /** Whether the light can be switched. */
  get hasTorch(): boolean {
    const track = this.#track();
    const able = track?.getCapabilities?.() as { torch?: boolean } | undefined;
    return able?.torch === true;
  }

  async torch(on: boolean): Promise<void> {
    await this.#track()?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
  }

  /** The card and a little around it, as JPEG. */
  photograph(): Promise<Blob> {
    const box = this.#box(PHOTO_AROUND);
    const scale = Math.min(1, PHOTO_MOST / box.width);
    const out = canvas(Math.round(box.width * scale), Math.round(box.height * scale));
    this.#draw(out, box);
    return jpegOf(out.canvas);
  }

  #track(): MediaStreamTrack | undefined {
    return this.#stream?.getVideoTracks()[0];
  }

  #look(): void {
    if (this.#video.readyState < this.#video.HAVE_CURRENT_DATA) return;
    this.#draw(this.#small, this.#box(AROUND));
    this.#draw(this.#large, this.#middle());
    const overview = greyOf(this.#small);
    const sight = sightOf(overview, greyOf(this.#large), this.#before);
    this.#before = overview;
    this.#seen(sight);
  }

  /** The guide frame and what is around it, in pixels of the picture: the view shows the picture's middle, covered. */
  #box(around: number): Box {
    const { videoWidth, videoHeight, clientWidth, clientHeight } = this.#video;
    const scale = Math.max(clientWidth / videoWidth, clientHeight / videoHeight) || 1;
    const guide = (clientWidth * GUIDE.share) / scale;
    const width = Math.min(videoWidth, guide * around);
    const height = Math.min(videoHeight, (guide / GUIDE.ratio) * around);
    return { x: (videoWidth - width) / 2, y: (videoHeight - height) / 2, width, height };
  }

  /** The middle of the card, at most twice as fine as the canvas, so that blur is seen. */
  #middle(): Box {
    const { x, y, width, height } = this.#box(1);
    const share = Math.min(1, Math.max(0.4, DETAIL.width / width));
    return { x: x + (width * (1 - share)) / 2, y: y + (height * (1 - share)) / 2, width: width * share, height: height * share };
  }

  #draw(into: CanvasRenderingContext2D, { x, y, width, height }: Box): void {
    into.drawImage(this.#video, x, y, width, height, 0, 0, into.canvas.width, into.canvas.height);
  }
}

/** A picture file as JPEG, no larger than the reader needs. Throws where the browser cannot open it. */
export async function jpegOfFile(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, PHOTO_MOST / Math.max(picture.width, picture.height));
  const out = canvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  out.drawImage(picture, 0, 0, out.canvas.width, out.canvas.height);
  picture.close();
  return jpegOf(out.canvas);
}

function canvas(width: number, height: number): CanvasRenderingContext2D {
  const made = document.createElement('canvas');
  made.width = width;
  made.height = height;
  return made.getContext('2d', { willReadFrequently: true })!;
}

function greyOf(context: CanvasRenderingContext2D): Grey {
  const { width, height } = context.canvas;
  return grey(context.getImageData(0, 0, width, height).data, width, height);
}

function jpegOf(drawn: HTMLCanvasElement): Promise<Blob> {
  return new Promise((done, failed) => {
    drawn.toBlob((blob) => (blob === null ? failed(new Error('no picture')) : done(blob)), 'image/jpeg', QUALITY);
  });
}
