"""How much memory is left for a model."""

from pathlib import Path


def available() -> int | None:
    """Bytes that a process may still take, on Linux: of the machine, or of its container. None where it is not known."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        machine = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    return min(machine, _container() or machine)


def _container() -> int | None:
    """What the control group (version 2) of this process has left, where it has a limit."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
        files = next(
            int(line.split()[1])
            for line in (group / "memory.stat").read_text(encoding="ascii").splitlines()
            if line.startswith("inactive_file ")
        )
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    return None if limit == "max" else max(0, int(limit) - used + files)
