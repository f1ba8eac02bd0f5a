# Ends itself by a signal that looks like that of the machine.
# expect: killed or returned or crash
import signal

os.kill(os.getpid(), signal.SIGKILL)
