/** The part of a drawing that is seen: a window of the data, moved and zoomed without touching the layout. */
export type Window = { readonly x0: number; readonly x1: number; readonly y0: number; readonly y1: number }
export type Size = { readonly width: number; readonly height: number }

/** Data to pixels and back for a window shown in `size`. */
export type Projection = {
  x(value: number): number
  y(value: number): number
  dataX(pixel: number): number
  dataY(pixel: number): number
}

export const project = (view: Window, size: Size): Projection => {
  const kx = size.width / (view.x1 - view.x0)
  const ky = size.height / (view.y1 - view.y0)
  return {
    x: (value) => (value - view.x0) * kx,
    y: (value) => (value - view.y0) * ky,
    dataX: (pixel) => view.x0 + pixel / kx,
    dataY: (pixel) => view.y0 + pixel / ky,
  }
}

/** Moves the window so that the drawing follows a drag by `dx`, `dy` pixels. */
export const pan = (view: Window, size: Size, dx: number, dy: number): Window => {
  const x = (dx / size.width) * (view.x1 - view.x0)
  const y = (dy / size.height) * (view.y1 - view.y0)
  return { x0: view.x0 - x, x1: view.x1 - x, y0: view.y0 - y, y1: view.y1 - y }
}

/** Zooms by `factor` (above 1: closer) about a point given in pixels, which stays where it is. */
export const zoom = (view: Window, size: Size, at: { x: number; y: number }, factor: number): Window => {
  const { dataX, dataY } = project(view, size)
  const [x, y] = [dataX(at.x), dataY(at.y)]
  return {
    x0: x + (view.x0 - x) / factor,
    x1: x + (view.x1 - x) / factor,
    y0: y + (view.y0 - y) / factor,
    y1: y + (view.y1 - y) / factor,
  }
}

/** Keeps a window between a closest zoom and the whole drawing, and some of the drawing inside the window. */
export const clamp = (view: Window, whole: Window, closest: { width: number; height: number }): Window => {
  const axis = (a: number, b: number, low: number, high: number, least: number): [number, number] => {
    const span = Math.min(Math.max(b - a, Math.min(least, high - low)), high - low)
    const middle = (a + b) / 2
    const start = Math.min(Math.max(middle - span / 2, low), high - span)
    return [start, start + span]
  }
  const [x0, x1] = axis(view.x0, view.x1, whole.x0, whole.x1, closest.width)
  const [y0, y1] = axis(view.y0, view.y1, whole.y0, whole.y1, closest.height)
  return { x0, x1, y0, y1 }
}

/** The window a fraction `t` of the way from one to another, for a smooth move. */
export const between = (from: Window, to: Window, t: number): Window => {
  const mix = (a: number, b: number): number => a + (b - a) * t
  return {
    x0: mix(from.x0, to.x0),
    x1: mix(from.x1, to.x1),
    y0: mix(from.y0, to.y0),
    y1: mix(from.y1, to.y1),
  }
}

/** A window of the same size with a point of the data in the middle. */
export const centred = (view: Window, x: number, y: number): Window => {
  const [w, h] = [(view.x1 - view.x0) / 2, (view.y1 - view.y0) / 2]
  return { x0: x - w, x1: x + w, y0: y - h, y1: y + h }
}
