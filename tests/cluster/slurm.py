"""A real Slurm with one node on this machine, for as long as the tests of the cluster take.

It listens on the loopback alone, keeps no accounts, and claims more cores than there are, and two GPUs that are none. Slurm reads its
configuration from one place, whatever it is told, so two files are written there, and removed again. A run that was killed leaves them and
its daemons behind; the next one sees by a lock that nobody is there any more, and clears up after it.
"""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

ETC = Path("/etc/slurm")
PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
COMMANDS = ("munged", "slurmctld", "slurmd", "squeue", "sbatch")
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=20
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=3600
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
SchedulerParameters=batch_sched_delay=0,sched_interval=5,bf_interval=5,sched_min_interval=0
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname={host} CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=cpu Nodes=localhost Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=localhost MaxTime=INFINITE State=UP
"""
GPUS = "Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n"
FILES = ETC / "slurm.conf", ETC / "gres.conf"
OWN = re.compile(r"ClusterName=tests\n.*\nStateSaveLocation=(?P<folder>[^\n]+)/state\n.*", re.DOTALL)
"""What a configuration written here reads like."""
PATIENCE = 60.0
"""Seconds after which waiting for anything of Slurm's own is given up."""


@contextmanager
def running(folder):
    """Start Slurm with all of its files but two in `folder`, which has to be short; stop it again, whatever happens."""
    missing = [command for command in COMMANDS if shutil.which(command) is None]
    assert not missing, f"{', '.join(missing)}: not installed; apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    clear_up_after_a_killed_run()
    written = [path for path in FILES if path.exists()]
    assert not written, f"{', '.join(map(str, written))}: this machine has a Slurm of its own; these tests need a machine without"
    for name in ("state", "spool"):
        (folder / name).mkdir()
    ETC.mkdir(exist_ok=True)
    ports = free_ports(2)
    settings = {"folder": folder, "ctld_port": ports[0], "d_port": ports[1], "host": socket.gethostname().partition(".")[0]}
    with FILES[0].open("x") as configuration:
        try:
            fcntl.flock(configuration, fcntl.LOCK_EX | fcntl.LOCK_NB)
            configuration.write(CONFIGURATION.format(**settings))
            configuration.flush()
            FILES[1].write_text(GPUS)
            start_munge(folder)
            start_controller()
            subprocess.run(["slurmd"], check=True)
            wait_for(lambda: "idle" in ask("sinfo", "--noheader", "--format=%T"))
            yield
        finally:
            remove(folder)


def clear_up_after_a_killed_run():
    """Stop the daemons and remove the files of a run that could not do so; a run that is under way, and a real Slurm, are left alone."""
    found = OWN.fullmatch(FILES[0].read_text()) if FILES[0].exists() else None
    if found is None:
        return
    with FILES[0].open() as configuration:
        try:
            fcntl.flock(configuration, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AssertionError(f"{FILES[0]}: these tests are running already; wait until they have ended") from None
        folder = Path(found["folder"])
        remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def remove(folder):
    """Stop the daemons whose process ids are in `folder`, and remove what was written elsewhere."""
    for name in ("slurmd", "slurmctld", "munged"):
        stop(folder / f"{name}.pid")
    for path in FILES:
        path.unlink(missing_ok=True)


def start_munge(folder):
    """Start the daemon that Slurm's messages are signed by, with a key of its own."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    folder.chmod(0o755)
    places = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munged.pid", "log-file": folder / "munged.log"}
    subprocess.run(["munged", "--force", f"--seed-file={folder}/munge.seed", *(f"--{k}={v}" for k, v in places.items())], check=True)


def start_controller():
    """Start the controller, with the jobs that it knew when it was stopped."""
    subprocess.run(["slurmctld"], check=True)


def stop(file):
    """Stop the daemon whose process id is in `file`, if there is one, and wait until it is gone."""
    if not file.is_file():
        return
    process = int(file.read_text())
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(process, number)
            wait_for(lambda: not Path(f"/proc/{process}").exists(), patience=20)
        except ProcessLookupError:
            return
        except TimeoutError:
            continue
        return


def free_ports(count):
    """Return ports of the loopback that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def ask(*command):
    """Return what a command of Slurm's says, "" where the controller does not answer."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait_for(condition, *, patience=PATIENCE, every=0.1):
    """Wait until `condition` returns something, and return it.

    Raises:
        TimeoutError: it has not come within so many seconds.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise TimeoutError(f"nothing after {patience} s")
