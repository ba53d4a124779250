/** What is fetched for TensorFlow's libraries: pinned wheels, for a machine with or without an NVIDIA driver. */
export type Wheel = {
  readonly requirement: string
  /** The checksum of the wheel file; `bytes` is its size. */
  readonly sha256: string
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

/** TensorFlow's own list for CUDA (its extra `and-cuda`), each at the lowest version it allows, with its SHA-256. */
const COMPANIONS: Readonly<Record<string, string>> = {
  'nvidia-cublas-cu12==12.5.3.2': 'ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b',
  'nvidia-cuda-cupti-cu12==12.5.82': 'bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953',
  'nvidia-cuda-nvcc-cu12==12.5.82': 'b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0',
  'nvidia-cuda-nvrtc-cu12==12.5.82': '3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd',
  'nvidia-cuda-runtime-cu12==12.5.82': '3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115',
  'nvidia-cudnn-cu12==9.3.0.75': '9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d',
  'nvidia-cufft-cu12==11.2.3.61': '9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8',
  'nvidia-curand-cu12==10.3.6.82': '2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536',
  'nvidia-cusolver-cu12==11.6.3.83': '93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b',
  'nvidia-cusparse-cu12==12.5.1.3': '016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752',
  'nvidia-nccl-cu12==2.27.7': 'de5ba5562f08029a19cb1cd659404b18411ed0d6c90ac5f52f30bf99ad5809aa',
  'nvidia-nvjitlink-cu12==12.5.82': 'f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212',
}
const GPU: readonly Wheel[] = [
  {
    requirement: `tensorflow==${TENSORFLOW_VERSION}`,
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    bytes: 572_440_367,
  },
  ...Object.entries(COMPANIONS).map(([requirement, sha256]) => ({ requirement, sha256, bytes: null })),
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
