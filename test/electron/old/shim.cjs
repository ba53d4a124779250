// What Electron 22 lacks of what main/electron uses, added before the very bundle that ships is loaded. Electron 45 has it all.
/* eslint-disable @typescript-eslint/no-require-imports */
const path = require('node:path')
const { app, protocol, session } = require('electron')

URL.parse ??= (address, base) => {
  try {
    return new URL(address, base)
  } catch {
    return null
  }
}

/**
 * As much of Response as protocol.ts makes.
 * @param {Uint8Array | null} body @param {{ status?: number, headers?: Record<string, string> }} options
 */
function Answer(body, { status = 200, headers = {} } = {}) {
  return { body, status, headers }
}
Object.assign(globalThis, { Response: globalThis.Response ?? Answer })

protocol.handle ??= (scheme, handler) => {
  protocol.registerBufferProtocol(scheme, (request, done) => {
    Promise.resolve(handler(/** @type {Request} */ ({ url: request.url, method: request.method }))).then(
      (answered) => {
        const answer =
          /** @type {{ body: Uint8Array | null, status: number, headers: Record<string, string> }} */ (
            /** @type {unknown} */ (answered)
          )
        const { 'Content-Type': type = 'text/plain', ...headers } = answer.headers
        done({
          statusCode: answer.status,
          mimeType: type.split(';')[0] ?? '',
          charset: 'utf-8',
          headers,
          data: Buffer.from(answer.body ?? []),
        })
      },
      () => done({ error: -2 }),
    )
  })
}

app.on('ready', () => session.defaultSession.setPreloads([path.join(__dirname, 'shim-preload.cjs')]))
// The bundle lies beside this file where it is tested.
require(path.join(__dirname, 'main.cjs'))
