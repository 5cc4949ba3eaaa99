// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refuseFchmodat2 is where a child process of the test finds the errno that its fchmodat2 has to answer.
const refuseFchmodat2 = "HUBHOME_REFUSE_FCHMODAT2"

// TestChmodWithoutFchmodat2: kernels before 6.6 do not know fchmodat2 (ENOSYS), and sandboxes that are older than the kernel
// forbid it (EPERM). A mode can be set all the same, by a descriptor that was opened without a right to read.
func TestChmodWithoutFchmodat2(t *testing.T) {
	errno, err := strconv.Atoi(os.Getenv(refuseFchmodat2))
	if err != nil {
		for _, errno := range []syscall.Errno{syscall.ENOSYS, syscall.EPERM} {
			cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=30s")
			cmd.Env = append(os.Environ(), refuseFchmodat2+"="+strconv.Itoa(int(errno)))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("fchmodat2 answers %v: %v\n%s", errno, err, out)
			}
		}
		return
	}
	refuse(t, unix.SYS_FCHMODAT2, syscall.Errno(errno))
	path, dir := directory(t)
	write(t, filepath.Join(path, "f"), "text")
	d := new(Disk)
	fd, err := d.Open(dir, "f", unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	if err := unix.Fchmodat(fd, "", 0o600, unix.AT_EMPTY_PATH); err == nil {
		t.Fatal("fchmodat2 is not refused")
	}
	for _, mode := range []uint32{0o641, 0o4755, 0} {
		if err := d.Chmod(fd, Here, mode); err != nil {
			t.Errorf("Chmod to %o: %v", mode, err)
		}
		var st Stat
		if err := d.Stat(fd, Here, &st); err != nil || uint32(st.Mode)&0o7777 != mode {
			t.Errorf("the mode is %o, want %o: %v", st.Mode&0o7777, mode, err)
		}
	}
}

// refuse makes a system call answer errno for the rest of the process (seccomp(2)).
func refuse(t *testing.T, call uint32, errno syscall.Errno) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // struct seccomp_data begins with the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program))); errno != 0 {
		t.Skipf("seccomp: %v", errno)
	}
}
