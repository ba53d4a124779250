// An allocator that stops a program at the first access past an aligned block, for LD_PRELOAD on Linux x86-64. TensorFlow
// and oneDNN ask for aligned blocks for all tensors and buffers. Each gets pages of its own, and ends at a page that may
// not be touched:
//
//     | header page | unused, filled | block | rest to the alignment, filled | forbidden page |
//
// A block whose size is no multiple of its alignment ends some bytes before the forbidden page: what was filled is looked
// at when the block is freed. Freed pages are never used again, and may not be touched either. What was found is written
// to the file that GUARD_LOG names, with a backtrace; then the program is aborted.
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

constexpr uintptr_t kPage = 4096, kBase = 0x100000000000, kSpan = uintptr_t(16) << 40;
constexpr uint64_t kMagic = 0x4755415244454421;
constexpr unsigned char kFill = 0xA5;
// The system allows a process some 65,000 mappings, and a block takes up to three.
constexpr long kMostLive = 12000;

struct Header {
  uint64_t magic;
  size_t size, pages;
  unsigned char* block;
};

std::atomic<uintptr_t> next{kBase};
std::atomic<long> live{0}, guarded{0};
bool ready = false;

template <class F>
F* real(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}
auto* plain_free() {
  static auto* const found = real<void(void*)>("free");
  return found;
}
bool ours(const void* p) { return uintptr_t(p) >= kBase && uintptr_t(p) < kBase + kSpan; }

int log_file() {
  static const int file = [] {
    const char* name = getenv("GUARD_LOG");
    return name ? open(name, O_WRONLY | O_CREAT | O_APPEND, 0644) : 2;
  }();
  return file;
}
[[noreturn]] void stop(const char* what, long offset, size_t size) {
  char line[160];
  const int length = snprintf(line, sizeof line, "guard: %s, byte %ld of a block of %zu\n", what, offset, size);
  if (write(log_file(), line, size_t(length)) < 0) _exit(99);
  void* frames[48];
  backtrace_symbols_fd(frames, backtrace(frames, 48), log_file());
  signal(SIGABRT, SIG_DFL);
  raise(SIGABRT);
  _exit(99);
}

// The header of the block that an address lies in or right behind; null where there is none. A pipe reads pages that may
// be forbidden without a fault.
const Header* header_before(uintptr_t address) {
  static int ends[2];
  if (pipe(ends) != 0) return nullptr;
  static Header found;
  for (uintptr_t page = address & ~(kPage - 1); page >= kBase && address - page < (uintptr_t(1) << 30); page -= kPage) {
    if (write(ends[1], reinterpret_cast<void*>(page), sizeof found) != ssize_t(sizeof found)) continue;
    if (read(ends[0], &found, sizeof found) != ssize_t(sizeof found) || found.magic != kMagic) continue;
    return address - page < found.pages + 2 * kPage ? &found : nullptr;
  }
  return nullptr;
}
void on_fault(int number, siginfo_t* info, void* context) {
  const uintptr_t address = uintptr_t(info->si_addr);
  if (!ours(info->si_addr)) {
    signal(number, SIG_DFL);
    return;
  }
  const bool writes = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2;
  const Header* header = header_before(address);
  if (header == nullptr) stop(writes ? "writes to freed memory" : "reads freed memory", 0, 0);
  stop(writes ? "writes past the end" : "reads past the end", long(address - uintptr_t(header->block)), header->size);
}
// Again now and then: Node resets all signals when it starts, and other libraries may take this one.
void hook() {
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

__attribute__((constructor)) void start() {
  plain_free();
  const auto flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void* const base = reinterpret_cast<void*>(kBase);
  ready = mmap(base, kSpan, PROT_NONE, flags, -1, 0) == base;
  // The first backtrace loads a library, which a signal's handler must not.
  void* frame[1];
  backtrace(frame, 1);
}
__attribute__((destructor)) void finish() {
  char line[80];
  const int length = snprintf(line, sizeof line, "guard: %ld blocks guarded\n", guarded.load());
  if (write(log_file(), line, size_t(length)) < 0) return;
}

void* allocate(size_t align, size_t size) {
  static auto* const plain = real<void*(size_t, size_t)>("memalign");
  if (!ready || align > kPage || live > kMostLive) return plain(align, size);
  if (guarded++ % 256 == 0) hook();
  if (align < 16) align = 16;
  const uintptr_t pages = size == 0 ? kPage : (size + kPage - 1) & ~(kPage - 1);
  const uintptr_t at = next.fetch_add(kPage + pages + kPage), first = at + kPage;
  if (at + pages + 2 * kPage > kBase + kSpan) return plain(align, size);
  if (mprotect(reinterpret_cast<void*>(at), kPage + pages, PROT_READ | PROT_WRITE) != 0) return plain(align, size);
  live++;
  auto* const block = reinterpret_cast<unsigned char*>((first + pages - size) & ~uintptr_t(align - 1));
  memset(reinterpret_cast<void*>(first), kFill, pages);
  *reinterpret_cast<Header*>(at) = {kMagic, size, pages, block};
  return block;
}

Header* header_of(void* block) {
  for (uintptr_t page = (uintptr_t(block) & ~(kPage - 1)) - kPage;; page -= kPage) {
    auto* const header = reinterpret_cast<Header*>(page);
    if (header->magic == kMagic && header->block == block) return header;
  }
}
void release(void* block) {
  Header* const header = header_of(block);
  auto* const first = reinterpret_cast<unsigned char*>(header) + kPage;
  const long size = long(header->size);
  for (unsigned char* p = first; p < header->block; p++)
    if (*p != kFill) stop("was written to before its start", p - header->block, header->size);
  for (unsigned char* p = header->block + size; p < first + header->pages; p++)
    if (*p != kFill) stop("was written to past its end", p - header->block, header->size);
  const size_t bytes = kPage + header->pages;
  madvise(header, bytes, MADV_DONTNEED);
  mprotect(header, bytes, PROT_NONE);
  live--;
}

}  // namespace

extern "C" {
int posix_memalign(void** to, size_t align, size_t size) noexcept {
  void* const block = allocate(align, size);
  if (block == nullptr) return ENOMEM;
  *to = block;
  return 0;
}
void* aligned_alloc(size_t align, size_t size) noexcept { return allocate(align, size); }
void* memalign(size_t align, size_t size) noexcept { return allocate(align, size); }
void free(void* block) noexcept {
  if (block == nullptr) return;
  if (ours(block)) release(block);
  else if (plain_free() != nullptr) plain_free()(block);
}
size_t malloc_usable_size(void* block) noexcept {
  static auto* const plain = real<size_t(void*)>("malloc_usable_size");
  return block != nullptr && ours(block) ? header_of(block)->size : plain(block);
}
void* realloc(void* block, size_t size) noexcept {
  static auto* const plain = real<void*(void*, size_t)>("realloc");
  if (block == nullptr || !ours(block)) return plain(block, size);
  const size_t before = header_of(block)->size;
  void* const made = malloc(size);
  if (made == nullptr) return nullptr;
  memcpy(made, block, before < size ? before : size);
  release(block);
  return made;
}
}
