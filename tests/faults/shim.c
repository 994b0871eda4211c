/* Stands between a program and the system: counts what it does to files below two folders, and at
   the n-th of these lets it die before, after or half-way, or lets the call fail.

   Preloaded by the tests, and idle until `faults_use` names the memory that all processes of a
   trial share. It sees what Arrow, SQLite and the deflate libraries do as well as what Python
   does. While it records, one operation follows the other, with its data, for the model of a disk
   that loses what was not made durable. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
    OPEN = 1, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, EXCHANGE, LINK, UNLINK, MKDIR, RMDIR,
    SPAWN, MESSAGE, NOTE, SYNC_FAILED, KINDS
};
enum how { NOTHING, BEFORE, AFTER, TORN, FAIL };
enum verdict { GO_ON, DIE_AFTER, HALF, REFUSE };

#define ROOTS 3 /* 1 and 2: folders; 0: everything else */
#define TALK 9  /* a socket to an extractor */
#define POISONED 64
#define FDS 65536

struct control { /* shim.Control is its twin */
    long role, nth, how, error, sticky; /* what is to happen, and to whom */
    long hit, hit_kind;                 /* what happened */
    long count[4];                      /* operations so far, by role */
    long kinds[4][16];
    long broken[ROOTS];    /* a folder's disk fails from now on */
    long again;            /* syncs of a file whose sync had failed */
    long poison[POISONED]; /* inodes whose sync failed */
    long poisons;
    long lock, recording, used, size, lost;
    char root[ROOTS][512];
};
struct record { /* 8-byte aligned; names and data follow */
    long size, kind, role, inode, other, offset, length, name, second;
};

static struct control *control;
static char *journal;
static long role;
static unsigned char fd_root[FDS];

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name);

void faults_use(struct control *shared, char *log) { control = shared; journal = log; }
void faults_role(long mine) { role = mine; }
void faults_talk(int fd) { if (fd >= 0 && fd < FDS) fd_root[fd] = TALK; }

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static void lock(void) {
    /* Whoever holds it may have been killed: then it is taken away. */
    struct timespec nap = {0, 100000};
    for (int tries = 0; __sync_lock_test_and_set(&control->lock, 1) && tries < 5000; tries++)
        nanosleep(&nap, 0);
}

static void unlock(void) { __sync_lock_release(&control->lock); }

static int root_of(const char *path) {
    if (!control || !path || path[0] != '/') return 0;
    /* SQLite's memory that happens to have a name: nothing of it outlives its processes. */
    size_t end = strlen(path);
    if (end > 4 && !strcmp(path + end - 4, "-shm")) return 0;
    for (int number = 1; number < ROOTS; number++) {
        size_t length = strlen(control->root[number]);
        if (length && !strncmp(path, control->root[number], length) &&
            (path[length] == '/' || !path[length]))
            return number;
    }
    return 0;
}

static const char *whole(int folder, const char *path, char *space) {
    if (!path || path[0] == '/' || folder == AT_FDCWD) return path;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, space, 2048);
    if (length < 0) return path;
    snprintf(space + length, 2048, "/%s", path);
    return space;
}

static int fd_is(int fd) { return control && fd >= 0 && fd < FDS ? fd_root[fd] : 0; }

static long inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : (long)found.st_ino;
}

static long inode_at(const char *path) {
    struct stat found;
    return lstat(path, &found) ? 0 : (long)found.st_ino;
}

/* SQLite writes anew what a failed sync may have dropped, at the same place of the same file. */
static int rewritten(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, ".db") != 0;
}

static int concerns(int kind, int error) {
    if (kind == SPAWN || kind == MESSAGE) return 0;
    if (error == ENOSPC || error == EDQUOT)
        return kind != UNLINK && kind != RMDIR && kind != SYNC_FOLDER && kind != TRUNCATE;
    if (error == EROFS) return kind != SYNC && kind != SYNC_FOLDER;
    return 1;
}

static enum verdict gate(int kind, int root) {
    if (!control || !root) return GO_ON;
    int disk = root < ROOTS;
    if (disk && control->broken[root] && concerns(kind, control->error)) {
        errno = (int)control->error;
        return REFUSE;
    }
    if (!role) return GO_ON;
    long number = __sync_add_and_fetch(&control->count[role], 1);
    __sync_add_and_fetch(&control->kinds[role][kind], 1);
    if (role != control->role || number != control->nth || control->hit) return GO_ON;
    control->hit_kind = kind;
    switch (control->how) {
    case BEFORE: control->hit = 1; die(); break;
    case AFTER: control->hit = 1; return DIE_AFTER;
    case TORN:
        if (kind == WRITE || kind == MESSAGE) { control->hit = 1; return HALF; }
        break;
    case FAIL:
        if (concerns(kind, control->error)) {
            control->hit = 1;
            if (control->sticky && disk) control->broken[root] = 1;
            errno = (int)control->error;
            return REFUSE;
        }
    }
    return GO_ON;
}

static void record(int kind, long inode, long other, long offset, long length, const char *name,
                   const char *second, const void *data) {
    if (!control->recording) return;
    long names = name ? (long)strlen(name) : 0, seconds = second ? (long)strlen(second) : 0;
    long payload = data ? length : 0;
    long size = ((long)sizeof(struct record) + names + seconds + payload + 7) & ~7L;
    if (control->used + size > control->size) { control->lost++; return; }
    struct record *row = (struct record *)(journal + control->used);
    *row = (struct record){size, kind, role, inode, other, offset, length, names, seconds};
    char *at = (char *)(row + 1);
    if (names) memcpy(at, name, names);
    if (seconds) memcpy(at + names, second, seconds);
    if (payload) memcpy(at + names + seconds, data, payload);
    control->used += size;
}

static int locked(void) {
    if (!control || !control->recording) return 0;
    lock();
    return 1;
}

/* A point that the program passes, such as the start of another one. */
void faults_point(int kind) { if (gate(kind, TALK) == DIE_AFTER) die(); }

/* Something that the program has told the world. */
void faults_note(const char *text) {
    if (!locked()) return;
    record(NOTE, 0, 0, 0, 0, text, 0, 0);
    unlock();
}

/* --- files: open, close ---------------------------------------------------------------- */

static int opened(int (*real)(int, const char *, int, ...), int folder, const char *given,
                  int flags, mode_t mode) {
    char space[4200];
    const char *path = whole(folder, given, space);
    int root = root_of(path);
    if (!root) return real(folder, given, flags, mode);
    int writes = flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
    enum verdict verdict = GO_ON;
    int held = writes ? locked() : 0;
    long before = writes ? inode_at(path) : 0;
    /* What exists can be opened on a full disk. */
    int full = control->error == ENOSPC || control->error == EDQUOT;
    int fails = control->how == FAIL || control->broken[root];
    if (writes && !(before && full && fails)) {
        if (held) unlock();
        verdict = gate(OPEN, root);
        held = locked();
    }
    if (verdict == REFUSE) { if (held) unlock(); return -1; }
    int fd = real(folder, given, flags, mode);
    if (fd >= 0 && fd < FDS && (writes || flags & O_DIRECTORY)) {
        fd_root[fd] = (unsigned char)root;
        long inode = inode_of(fd);
        if (held && !before) record(OPEN, inode, 0, 0, 0, path, 0, 0);
        if (held && before && flags & O_TRUNC) record(TRUNCATE, inode, 0, 0, 0, path, 0, 0);
        if (flags & O_TRUNC)
            for (long n = 0; n < control->poisons; n++)
                if (control->poison[n] == inode) control->poison[n] = 0;
    }
    if (held) unlock();
    if (verdict == DIE_AFTER) die();
    return fd;
}

#define OPENS(name, ...) \
    int name(__VA_ARGS__ int flags, ...) { \
        static int (*real)(int, const char *, int, ...); \
        if (!real) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64"); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        }

OPENS(open, const char *path,) return opened(real, AT_FDCWD, path, flags, mode); }
OPENS(open64, const char *path,) return opened(real, AT_FDCWD, path, flags, mode); }
OPENS(openat, int folder, const char *path,) return opened(real, folder, path, flags, mode); }
OPENS(openat64, int folder, const char *path,) return opened(real, folder, path, flags, mode); }

int close(int fd) {
    REAL(int, close, int)
    if (fd >= 0 && fd < FDS) fd_root[fd] = 0;
    return real(fd);
}

/* --- files: data ------------------------------------------------------------------------ */

static ssize_t put(int fd, const void *data, size_t length, off_t offset, int positioned) {
    int root = fd_is(fd);
    enum verdict verdict = gate(WRITE, root == TALK ? 0 : root);
    if (verdict == REFUSE) return -1;
    size_t wanted = verdict == HALF ? length / 2 : length;
    int held = root && root != TALK ? locked() : 0;
    off_t at = offset;
    if (held && !positioned) {
        struct stat found;
        at = fcntl(fd, F_GETFL) & O_APPEND && !fstat(fd, &found) ? found.st_size
                                                                 : lseek(fd, 0, SEEK_CUR);
    }
    ssize_t done = positioned ? syscall(SYS_pwrite64, fd, data, wanted, offset)
                              : syscall(SYS_write, fd, data, wanted);
    if (held && done > 0) record(WRITE, inode_of(fd), 0, at, done, 0, 0, data);
    if (held) unlock();
    if (verdict == HALF || verdict == DIE_AFTER) die();
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { return put(fd, data, length, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    return put(fd, data, length, at, 1);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) {
    return put(fd, data, length, at, 1);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int)
    if (!fd_is(fd) || fd_is(fd) == TALK) return real(fd, pieces, count);
    /* A short write is allowed: the caller carries it on. */
    for (int n = 0; n < count; n++)
        if (pieces[n].iov_len) return put(fd, pieces[n].iov_base, pieces[n].iov_len, 0, 0);
    return 0;
}

static ssize_t copied(int from, off_t *source, int to, size_t length, int send) {
    enum verdict verdict = gate(WRITE, fd_is(to) == TALK ? 0 : fd_is(to));
    if (verdict == REFUSE) return -1;
    size_t wanted = verdict == HALF ? length / 2 : length;
    int held = fd_is(to) && fd_is(to) != TALK ? locked() : 0;
    off_t at = held ? lseek(to, 0, SEEK_CUR) : 0;
    ssize_t done = send ? syscall(SYS_sendfile, to, from, source, wanted)
                        : syscall(SYS_copy_file_range, from, source, to, 0, wanted, 0);
    if (held && done > 0 && control->recording) {
        char *data = malloc(done), name[64];
        snprintf(name, sizeof name, "/proc/self/fd/%d", to);
        int reader = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
        if (data && pread(reader, data, done, at) == done)
            record(WRITE, inode_of(to), 0, at, done, 0, 0, data);
        else
            control->lost++;
        syscall(SYS_close, reader);
        free(data);
    }
    if (held) unlock();
    if (verdict == HALF || verdict == DIE_AFTER) die();
    return done;
}

ssize_t copy_file_range(int from, off64_t *source, int to, off64_t *target, size_t length,
                        unsigned flags) {
    if (target) return syscall(SYS_copy_file_range, from, source, to, target, length, flags);
    return copied(from, source, to, length, 0);
}
ssize_t sendfile(int to, int from, off_t *source, size_t length) {
    return copied(from, source, to, length, 1);
}
ssize_t sendfile64(int to, int from, off64_t *source, size_t length) {
    return copied(from, source, to, length, 1);
}

static int cut(int fd, off_t length) {
    int root = fd_is(fd);
    enum verdict verdict = gate(TRUNCATE, root == TALK ? 0 : root);
    if (verdict == REFUSE) return -1;
    int held = root && root != TALK ? locked() : 0;
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (held && !result) record(TRUNCATE, inode_of(fd), 0, 0, length, 0, 0, 0);
    if (held) unlock();
    if (verdict == DIE_AFTER) die();
    return result;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off_t length) { return cut(fd, length); }

static int synced(int fd, long call) {
    int root = fd_is(fd) == TALK ? 0 : fd_is(fd);
    struct stat found;
    int folder = root && !fstat(fd, &found) && S_ISDIR(found.st_mode);
    int kind = folder ? SYNC_FOLDER : SYNC;
    enum verdict verdict = gate(kind, root);
    long inode = root ? inode_of(fd) : 0;
    if (verdict == REFUSE) {
        if (!folder && !rewritten(fd) && control->poisons < POISONED)
            control->poison[control->poisons++] = inode;
        if (locked()) {
            record(SYNC_FAILED, inode, 0, 0, 0, 0, 0, 0);
            unlock();
        }
        return -1;
    }
    int held = root ? locked() : 0;
    int result = (int)syscall(call, fd);
    if (root && !folder)
        for (long n = 0; n < control->poisons; n++)
            if (control->poison[n] == inode) __sync_add_and_fetch(&control->again, 1);
    if (held && !result) record(kind, inode, 0, 0, 0, 0, 0, 0);
    if (held) unlock();
    if (verdict == DIE_AFTER) die();
    return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* --- names ------------------------------------------------------------------------------ */

static int renamed(int one, const char *from, int two, const char *to, unsigned flags) {
    char first[4200], second[4200];
    const char *a = whole(one, from, first), *b = whole(two, to, second);
    int root = root_of(b) ? root_of(b) : root_of(a);
    int kind = flags & 2 ? EXCHANGE : RENAME;
    enum verdict verdict = gate(kind, root);
    if (verdict == REFUSE) return -1;
    int held = root ? locked() : 0;
    long inode = held ? inode_at(a) : 0, other = held && flags & 2 ? inode_at(b) : 0;
    int result = (int)syscall(SYS_renameat2, one, from, two, to, flags);
    if (held && !result) record(kind, inode, other, 0, 0, a, b, 0);
    if (held) unlock();
    if (verdict == DIE_AFTER) die();
    return result;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int one, const char *from, int two, const char *to) {
    return renamed(one, from, two, to, 0);
}
int renameat2(int one, const char *from, int two, const char *to, unsigned flags) {
    return renamed(one, from, two, to, flags);
}

static int named(int kind, int folder, const char *given, mode_t mode, int other,
                 const char *target) {
    char space[4200], more[4200];
    const char *path = whole(folder, given, space), *to = whole(other, target, more);
    int root = kind == LINK ? root_of(to) : root_of(path);
    enum verdict verdict = gate(kind, root);
    if (verdict == REFUSE) return -1;
    int held = root ? locked() : 0;
    long inode = held && kind != MKDIR ? inode_at(path) : 0;
    int result;
    if (kind == MKDIR) result = (int)syscall(SYS_mkdirat, folder, given, mode);
    else if (kind == LINK) result = (int)syscall(SYS_linkat, folder, given, other, target, 0);
    else result = (int)syscall(SYS_unlinkat, folder, given, kind == RMDIR ? AT_REMOVEDIR : 0);
    if (held && kind == MKDIR) inode = inode_at(path);
    if (held && !result) record(kind, inode, 0, 0, 0, path, to, 0);
    if (held) unlock();
    if (verdict == DIE_AFTER) die();
    return result;
}

int unlink(const char *path) { return named(UNLINK, AT_FDCWD, path, 0, AT_FDCWD, 0); }
int rmdir(const char *path) { return named(RMDIR, AT_FDCWD, path, 0, AT_FDCWD, 0); }
int unlinkat(int folder, const char *path, int flags) {
    return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, path, 0, AT_FDCWD, 0);
}
int mkdir(const char *path, mode_t mode) {
    return named(MKDIR, AT_FDCWD, path, mode, AT_FDCWD, 0);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    return named(MKDIR, folder, path, mode, AT_FDCWD, 0);
}
int link(const char *path, const char *to) {
    return named(LINK, AT_FDCWD, path, 0, AT_FDCWD, to);
}
int linkat(int one, const char *path, int two, const char *to, int flags) {
    (void)flags;
    return named(LINK, one, path, 0, two, to);
}

/* --- messages --------------------------------------------------------------------------- */

ssize_t send(int fd, const void *data, size_t length, int flags) {
    enum verdict verdict = fd_is(fd) == TALK ? gate(MESSAGE, TALK) : GO_ON;
    size_t wanted = verdict == HALF ? length / 2 : length;
    ssize_t done = syscall(SYS_sendto, fd, data, wanted, flags, 0, 0);
    if (verdict == HALF || verdict == DIE_AFTER) die();
    return done;
}
