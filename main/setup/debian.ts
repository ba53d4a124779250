import fs from 'node:fs'
import path from 'node:path'
import { has, root, runQuietly, SetupError } from './process.mjs'

const PLACE = 'opt/NormForge'
const DEPENDS = ['libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libstdc++6', 'libc6 (>= 2.28)']

const DESKTOP_FILE = `[Desktop Entry]
Type=Application
Name=NormForge
Comment=Evolves normalization-activation layers on your own machine
Exec=/${PLACE}/normforge %U
Icon=normforge
Categories=Science;Education;
MimeType=x-scheme-handler/normforge;
StartupWMClass=normforge
`
/** Where a system forbids user namespaces but to programs that are named, Chromium's sandbox needs them. */
const APPARMOR = `abi <abi/4.0>,
include <tunables/global>

profile normforge /${PLACE}/normforge flags=(unconfined) {
  userns,
  include if exists <local/normforge>
}
`

/** A Debian package of a folder that was laid out; its path. */
export const makeDebian = async (laidOut: string, out: string): Promise<string> => {
  if (!has('dpkg-deb')) throw new SetupError('dpkg-deb is missing: it makes Debian packages')
  const { version, description } = JSON.parse(
    fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Record<string, string>
  const tree = `${laidOut}.deb`
  fs.rmSync(tree, { recursive: true, force: true })
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true })
    fs.writeFileSync(path.join(tree, file), text, { mode: 0o644 })
  }
  write(
    'DEBIAN/control',
    `Package: normforge
Version: ${version}
Architecture: amd64
Maintainer: NormForge
Section: science
Priority: optional
Depends: ${DEPENDS.join(', ')}
Description: ${description}
`,
  )
  write('usr/share/applications/normforge.desktop', DESKTOP_FILE)
  write('etc/apparmor.d/normforge', APPARMOR)
  const icon = path.join(root, 'renderer/icon.svg')
  write('usr/share/icons/hicolor/scalable/apps/normforge.svg', fs.readFileSync(icon, 'utf8'))
  write('usr/share/doc/normforge/copyright', fs.readFileSync(path.join(root, 'LICENSE'), 'utf8'))
  fs.mkdirSync(path.join(tree, 'usr/bin'), { recursive: true })
  fs.symlinkSync(`/${PLACE}/normforge`, path.join(tree, 'usr/bin/normforge'))
  fs.mkdirSync(path.join(tree, path.dirname(PLACE)), { recursive: true })
  fs.renameSync(laidOut, path.join(tree, PLACE))
  try {
    fs.chmodSync(path.join(tree, PLACE, 'chrome-sandbox'), 0o4755)
    const file = path.join(out, `normforge_${version}_amd64.deb`)
    const args = ['--root-owner-group', '-Zzstd', '-z3', '--build', tree, file]
    const { code, output } = await runQuietly('dpkg-deb', args)
    if (code !== 0) throw new SetupError(`dpkg-deb says: ${output.trim()}`)
    return file
  } finally {
    fs.renameSync(path.join(tree, PLACE), laidOut)
    fs.rmSync(tree, { recursive: true })
  }
}
