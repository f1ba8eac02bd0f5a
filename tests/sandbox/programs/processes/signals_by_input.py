# Has the kernel signal others when its pipe is written to: the owner of a pipe may be anybody.
# It may end itself so, as one of its group.
# expect: contained or killed or crash
import fcntl
import signal
import time

F_SETSIG = 10
for pid in (os.getppid(), given["pid"], -given["pid"], 1, -os.getpgrp()):
    if pid in (0, os.getpid()):
        continue
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
        read, write = os.pipe()
        try:
            fcntl.fcntl(read, fcntl.F_SETOWN, pid)
            fcntl.fcntl(read, F_SETSIG, number)
            fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
            os.write(write, b"now")
        except OSError:
            pass
        os.close(read)
        os.close(write)
time.sleep(0.1)
print("contained")
