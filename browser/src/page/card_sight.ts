// What a camera sees of a card in the guide frame: is it there, bright enough, without glare, sharp, held still? Only
// arithmetic on grey values; the first thing that is wrong is what the person is told.

/** What is to be said; `good` may be photographed. */
export type Sight = 'far' | 'dark' | 'glare' | 'blurred' | 'moving' | 'good';

/** Grey values, row by row. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/** How much wider and higher than the guide frame the overview is: what lies around the card is seen as well. */
export const AROUND = 1.2;

const DARK_MEAN = 55;
const SATURATED = 252;
const GLARE_SHARE = 0.04;
const EDGE_STEP = 14;
const EDGES_LEAST = 3;
const SHARP_LEAST = 45;
const MOTION_MOST = 7;

/** Luma of RGBA pixels. */
export function grey(pixels: Uint8ClampedArray, width: number, height: number): Grey {
  const values = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < values.length; i += 1, at += 4) {
    values[i] = (pixels[at]! * 77 + pixels[at + 1]! * 150 + pixels[at + 2]! * 29) >> 8;
  }
  return { width, height, values };
}

/** `overview`: the frame and what is around it; `detail`: the middle of the card, large; `before`: the last overview. */
export function sightOf(overview: Grey, detail: Grey, before: Grey | null): Sight {
  const { mean, saturated } = light(overview);
  if (mean < DARK_MEAN) return 'dark';
  if (saturated > GLARE_SHARE) return 'glare';
  if (edges(overview) < EDGES_LEAST) return 'far';
  if (before === null || difference(overview, before) > MOTION_MOST) return 'moving';
  return sharpness(detail) < SHARP_LEAST ? 'blurred' : 'good';
}

function inside({ width, height }: Grey): { left: number; top: number; right: number; bottom: number } {
  const share = (1 - 1 / AROUND) / 2;
  const left = Math.round(width * share);
  const top = Math.round(height * share);
  return { left, top, right: width - left, bottom: height - top };
}

/** Mean grey, and the share of pixels that hold nothing but light. */
export function light(image: Grey): { mean: number; saturated: number } {
  const { left, top, right, bottom } = inside(image);
  let sum = 0;
  let full = 0;
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      const value = image.values[y * image.width + x]!;
      sum += value;
      if (value >= SATURATED) full += 1;
    }
  }
  const count = (right - left) * (bottom - top);
  return { mean: sum / count, saturated: full / count };
}

/** On how many of the four sides of the guide frame the card differs from what it lies on. */
export function edges(image: Grey): number {
  const { left, top, right, bottom } = inside(image);
  // Two bands fit into what is seen around the frame: one to compare with, one of tolerance.
  const band = Math.floor(Math.min(left, top) / 2);
  const mean = (x0: number, y0: number, x1: number, y1: number): number => {
    let sum = 0;
    for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) sum += image.values[y * image.width + x]!;
    return sum / ((x1 - x0) * (y1 - y0));
  };
  const pairs = [
    [mean(left, top - 2 * band, right, top - band), mean(left, top + band, right, top + 2 * band)],
    [mean(left, bottom + band, right, bottom + 2 * band), mean(left, bottom - 2 * band, right, bottom - band)],
    [mean(left - 2 * band, top, left - band, bottom), mean(left + band, top, left + 2 * band, bottom)],
    [mean(right + band, top, right + 2 * band, bottom), mean(right - 2 * band, top, right - band, bottom)],
  ];
  return pairs.filter(([outer, inner]) => Math.abs(outer! - inner!) >= EDGE_STEP).length;
}

/** Mean difference of two pictures of the same size. */
export function difference(one: Grey, other: Grey): number {
  if (one.values.length !== other.values.length) return 255;
  let sum = 0;
  for (let i = 0; i < one.values.length; i += 1) sum += Math.abs(one.values[i]! - other.values[i]!);
  return sum / one.values.length;
}

/** Variance of the Laplacian: high where there are sharp edges. */
export function sharpness({ width, height, values }: Grey): number {
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const around = values[at - 1]! + values[at + 1]! + values[at - width]! + values[at + width]!;
      const value = around - 4 * values[at]!;
      sum += value;
      squares += value * value;
    }
  }
  const count = (width - 2) * (height - 2);
  return squares / count - (sum / count) ** 2;
}
