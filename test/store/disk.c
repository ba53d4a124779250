/*
 * A disk on which something happens at the n-th change of a file in a folder, for a program that loads this before the C
 * library (LD_PRELOAD). Told by the environment: DISK_FOLDER, DISK_AT (n, from 1), DISK_EVENT (kill: the program is
 * killed instead; torn: after half of what it writes; term: it gets a SIGTERM before; full: from then on nothing more fits
 * on the disk) and DISK_COUNT, a file that gets the number of changes at the end.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long count = 0;

static int inside(const char *path) {
  const char *folder = getenv("DISK_FOLDER");
  return folder && strncmp(path, folder, strlen(folder)) == 0;
}
static int inside_fd(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return inside(path);
}
static int is(const char *event) {
  const char *told = getenv("DISK_EVENT");
  return told && strcmp(told, event) == 0;
}
/* Counts a change; the time has come at the n-th, and for a full disk ever after. */
static int due(void) {
  const char *at = getenv("DISK_AT");
  count += 1;
  if (at && count == atol(at) && is("term")) {
    kill(getpid(), SIGTERM);
    return 0;
  }
  return at && (count == atol(at) || (is("full") && count > atol(at)));
}
static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

ssize_t write(int fd, const void *bytes, size_t size) {
  if (inside_fd(fd) && due()) {
    if (is("full")) {
      errno = ENOSPC;
      return -1;
    }
    if (is("torn")) syscall(SYS_write, fd, bytes, size / 2);
    die();
  }
  return syscall(SYS_write, fd, bytes, size);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  if (inside_fd(fd) && due()) {
    if (is("full")) {
      errno = ENOSPC;
      return -1;
    }
    if (is("torn")) syscall(SYS_pwrite64, fd, bytes, size / 2, offset);
    die();
  }
  return syscall(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return pwrite64(fd, bytes, size, offset); }

/* What gives room back works on a full disk, too. */
int ftruncate64(int fd, off64_t size) {
  if (inside_fd(fd) && due() && !is("full")) die();
  return syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int unlink(const char *path) {
  if (inside(path) && due() && !is("full")) die();
  return syscall(SYS_unlink, path);
}
int rename(const char *from, const char *to) {
  if (inside(to) && due() && !is("full")) die();
  return syscall(SYS_rename, from, to);
}

__attribute__((destructor)) static void report(void) {
  const char *file = getenv("DISK_COUNT");
  FILE *out = file ? fopen(file, "w") : NULL;
  if (!out) return;
  fprintf(out, "%ld\n", count);
  fclose(out);
}
