/** What is fetched for TensorFlow's libraries: pinned wheels, for a machine with or without an NVIDIA driver. */
export type Wheel = {
  readonly requirement: string
  /** SHA-256 of the wheel file; null where pip's own check against the index must do. */
  readonly sha256: string | null
  readonly bytes: number | null
}

export type Device = 'cpu' | 'gpu'

export const TENSORFLOW_VERSION = '2.21.0'

const CPU: readonly Wheel[] = [
  {
    requirement: `tensorflow-cpu==${TENSORFLOW_VERSION}`,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    bytes: 273_829_956,
  },
]

/** TensorFlow's own list for CUDA (its extra `and-cuda`), each at the lowest version it allows. */
const COMPANIONS = [
  'nvidia-cublas-cu12==12.5.3.2',
  'nvidia-cuda-cupti-cu12==12.5.82',
  'nvidia-cuda-nvcc-cu12==12.5.82',
  'nvidia-cuda-nvrtc-cu12==12.5.82',
  'nvidia-cuda-runtime-cu12==12.5.82',
  'nvidia-cudnn-cu12==9.3.0.75',
  'nvidia-cufft-cu12==11.2.3.61',
  'nvidia-curand-cu12==10.3.6.82',
  'nvidia-cusolver-cu12==11.6.3.83',
  'nvidia-cusparse-cu12==12.5.1.3',
  'nvidia-nccl-cu12==2.27.7',
  'nvidia-nvjitlink-cu12==12.5.82',
]
const GPU: readonly Wheel[] = [
  {
    requirement: `tensorflow==${TENSORFLOW_VERSION}`,
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    bytes: 572_440_367,
  },
  ...COMPANIONS.map((requirement) => ({ requirement, sha256: null, bytes: null })),
]

export const wheelsFor = (device: Device): readonly Wheel[] => (device === 'gpu' ? GPU : CPU)

/** Disk space that fetching and unpacking takes at its peak. */
export const bytesNeeded = (device: Device): number => (device === 'gpu' ? 9e9 : 1.6e9)

/** Members of a wheel that are kept: the two libraries, the C headers, CUDA's libraries. */
export const KEPT = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/ctstring',
  'tensorflow/include/xla/tsl/c/',
  'tensorflow/include/tsl/platform/ctstring',
  'nvidia/',
]

/** pip's arguments: the wheel for CPython 3.11, whatever the user's Python. */
export const pipArguments = (requirement: string, folder: string): string[] => [
  ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check'],
  ...['--python-version', '3.11', '--implementation', 'cp', '--dest', folder],
  ...['2_27', '2_17', '2014'].flatMap((tag) => [
    '--platform',
    `manylinux${tag === '2014' ? '' : '_'}${tag}_x86_64`,
  ]),
  requirement,
]
