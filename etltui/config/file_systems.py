"""What kind of file system a path lies on, as the kernel tells."""

from contextlib import suppress
from pathlib import Path

NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs"),
        *("fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "beegfs", "ocfs2", "gfs2"),
    },
)
"""Types whose disk is another machine's, or shared with one."""


def file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that a path lies on, empty where the kernel does not tell."""
    real, best, kind = path.resolve(), -1, ""
    with suppress(OSError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            # proc_pid_mountinfo(5): the fifth field is the mount point, behind " - " the type.
            left, _, right = line.partition(" - ")
            point = Path(left.split()[4].encode().decode("unicode_escape"))
            # A later mount hides an earlier one at the same place.
            if real.is_relative_to(point) and len(point.parts) >= best:
                best, kind = len(point.parts), right.split()[0]
    return kind
