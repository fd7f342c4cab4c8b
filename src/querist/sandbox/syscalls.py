"""The system calls that generated code may make, as a program for the kernel's filter. All others fail.

A list of what is allowed, not of what is not: calls that kernels gain later stay shut.
"""

from __future__ import annotations

import errno
import functools
import tempfile

from querist.errors import MissingExtraError
from querist.sandbox.jailed.walls import OWN_PROCESS

_ALLOWED = """
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open openat close close_range dup dup2 dup3
pipe pipe2 lseek flock stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink
readlinkat getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
truncate ftruncate fallocate fadvise64 fsync fdatasync sync_file_range sendfile copy_file_range umask
mmap munmap mremap mprotect madvise msync mincore brk membarrier
futex futex_waitv set_robust_list get_robust_list rseq set_tid_address arch_prctl exit exit_group
sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu
getpid gettid getppid getuid geteuid getgid getegid getgroups getresuid getresgid getpgid getpgrp getsid getpriority
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack restart_syscall
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage getrlimit sysinfo uname
getrandom poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd eventfd2
alarm setitimer getitimer
""".split()

_PRETENDED = "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat".split()
"""Landlock does not know these; libraries expect them to work. They do nothing and say that they did."""

_TERMINAL_QUESTIONS = (0x5401, 0x5413, 0x541B)  # TCGETS, TIOCGWINSZ, FIONREAD
_ONE_MEMORY_NAME, _SET_NAME, _GET_NAME = 0x53564D41, 15, 16
_DESCRIPTOR_QUESTIONS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030)
"""F_DUPFD to F_SETLKW, F_OFD_…LK, F_DUPFD_CLOEXEC; not F_SETOWN and F_SETSIG, which send signals to others."""
_FILES, _THREAD = 0x400, 0x10000
_NEW_NAMESPACE = 0x7E020080  # every CLONE_NEW… flag that fits clone


@functools.cache
def program(*more: str) -> bytes:
    """The filter as the kernel takes it.

    Args:
        more: names of calls that are allowed as well.

    Raises:
        MissingExtraError: pyseccomp is not installed.
        OSError: libseccomp is not on this machine.
    """
    try:
        import pyseccomp as seccomp
    except ImportError as error:
        raise MissingExtraError("pyseccomp", "sandbox", "filter system calls") from error
    except RuntimeError as error:
        raise OSError(f"{error}") from error
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in (*_ALLOWED, *more):
        _add(rules, seccomp.ALLOW, name)
    for name in _PRETENDED:
        _add(rules, seccomp.ERRNO(0), name)
    for name in ("clone3", "memfd_create"):  # whoever gets this tries an older way
        _add(rules, seccomp.ERRNO(errno.ENOSYS), name)

    def allow(name: str, argument: int, values: tuple[int, ...]) -> None:
        for value in values:
            _add(rules, seccomp.ALLOW, name, seccomp.Arg(argument, seccomp.EQ, value))

    allow("fcntl", 1, _DESCRIPTOR_QUESTIONS)
    allow("ioctl", 1, _TERMINAL_QUESTIONS)
    allow("prctl", 0, (_ONE_MEMORY_NAME, _SET_NAME, _GET_NAME))
    allow("prlimit64", 0, (0,))
    for name in ("kill", "tgkill"):
        allow(name, 0, (OWN_PROCESS,))
    thread = _THREAD | _FILES  # with descriptors of its own, a thread could hold files that nobody counts
    _add(rules, seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, thread | _NEW_NAMESPACE, thread))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add(rules: object, action: int, name: str, *arguments: object) -> None:
    try:
        rules.add_rule(action, name, *arguments)  # type: ignore[attr-defined]
    except (OSError, ValueError):
        return  # this architecture or this libseccomp does not know the call: it stays shut
