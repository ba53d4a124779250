/** Drawings as files: a standalone SVG with the page's styles written into it, and the same as PNG. */
const STYLES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linejoin',
  'opacity',
  'paint-order',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'transform',
] as const

/** `behind`: SVG text to go before everything else, as what a canvas under the drawing shows. */
export const svgFile = (svg: SVGSVGElement, behind = ''): string => {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const originals = [svg, ...svg.querySelectorAll<SVGElement>('*')]
  const copies = [copy, ...copy.querySelectorAll<SVGElement>('*')]
  originals.forEach((original, i) => {
    const style = getComputedStyle(original)
    const kept = STYLES.map((name) => [name, style.getPropertyValue(name)] as const).filter(
      ([name, value]) => value !== '' && !(name === 'transform' && value === 'none'),
    )
    copies[i]!.setAttribute('style', kept.map(([name, value]) => `${name}:${value}`).join(';'))
    copies[i]!.removeAttribute('class')
  })
  const { width, height } = svg.getBoundingClientRect()
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width))
  copy.setAttribute('height', String(height))
  if (!copy.hasAttribute('viewBox')) copy.setAttribute('viewBox', `0 0 ${width} ${height}`)
  const surface = getComputedStyle(document.documentElement).getPropertyValue('--surface').trim()
  const ground = `<rect width="100%" height="100%" fill="${surface}"/>`
  return copy.outerHTML.replace(/^<svg[^>]*>/, (open) => `${open}${ground}${behind}`)
}

/** `scale`: pixels a unit. */
export const pngFile = async (svgText: string, scale = 2): Promise<Blob> => {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText)}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.width * scale
  canvas.height = image.height * scale
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (!blob) throw new Error('export: the browser could not make the picture')
  return blob
}

export const download = (name: string, content: string | Blob, type = 'text/plain'): void => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(typeof content === 'string' ? new Blob([content], { type }) : content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
