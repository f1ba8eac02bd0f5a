# Starts processes in every way of Python.
# expect: contained
import multiprocessing
import subprocess


def left():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid


def worked():
    process = multiprocessing.get_context("fork").Process(target=print)
    process.start()
    return process.pid


attempt("fork", left)
attempt("forkpty", os.forkpty)
attempt("system", lambda: 1 / (os.system("true") == 0))
attempt("popen", lambda: 1 / (len(os.popen("echo x").read())))
attempt("subprocess", subprocess.run, ["/bin/true"], check=True)
attempt("subprocess of a shell", subprocess.check_output, "echo x", shell=True)
attempt("spawn", os.posix_spawn, "/bin/true", ["true"], {})
attempt("multiprocessing", worked)
print("contained")
