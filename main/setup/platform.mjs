// Whether TensorFlow's libraries, as they are published, run on this machine.
import { flagsOf } from './processor.mjs'

/** What the wheel is made for (its tag is manylinux_2_27_x86_64), and the oldest instructions that it uses. */
const GLIBC = { major: 2, minor: 27 }

/** The C library's version where it is glibc ("2.36"); null on another one, as Alpine's musl. */
export const glibcVersion = () => {
  // Without this the report asks for the names of all network interfaces' addresses.
  Object.assign(process.report ?? {}, { excludeNetwork: true })
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } } | undefined} */ (
    process.report?.getReport()
  )
  return report?.header?.glibcVersionRuntime ?? null
}

/** @param {string} version */
const isTooOld = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < GLIBC.major || (major === GLIBC.major && minor < GLIBC.minor)
}

/** What this machine is instead of what is needed; null where it is that. */
const got = () => {
  const { platform, arch } = process
  if (platform !== 'linux' || arch !== 'x64') return `${platform} on ${arch}`
  const glibc = glibcVersion()
  if (glibc === null) return 'Linux with musl or another C library'
  if (isTooOld(glibc)) return `Linux with glibc ${glibc}`
  return flagsOf()?.has('avx') === false ? 'a processor without AVX' : null
}

/** Why the published libraries can't be used here, with the way out, in one sentence; null where they can. */
export const platformObstacle = () => {
  const instead = got()
  if (instead === null) return null
  return `TensorFlow's published libraries need Linux with glibc ${GLIBC.major}.${GLIBC.minor} or newer, on x86-64 with AVX, got ${instead}: name a folder with libraries made for this machine in NORMFORGE_TENSORFLOW`
}
