# Makes devices of its own, and opens those of the machine.
# expect: contained
import stat

attempt("a disk", os.mknod, "disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
attempt("memory", os.mknod, "memory", 0o600 | stat.S_IFCHR, os.makedev(1, 1))
attempt("a pipe", os.mkfifo, "pipe")
for path in ("/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/vda", "/dev/sda", "/dev/tty",
             "/dev/ptmx", "/dev/console", "/dev/net/tun", "/dev/loop-control"):
    attempt(f"open {path}", os.open, path, os.O_RDWR)
attempt("list /dev/shm", os.listdir, "/dev/shm")
attempt("list /dev/pts", os.listdir, "/dev/pts")
print("contained")
