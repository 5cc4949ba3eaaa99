// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	qemu = "qemu-system-x86_64"
	// bootTime is how long a guest may take until it asks for its first script. It takes ten seconds on an idle machine.
	bootTime = 3 * time.Minute
	// workers is how many scripts can run in a guest at the same time.
	workers = 8
	// kernelOptions give the console to the host and leave out what costs an emulated processor much and guards nothing here.
	kernelOptions = "console=ttyS0 loglevel=5 panic=-1 tsc=reliable no5lvl mitigations=off init_on_alloc=0 " +
		"hardened_usercopy=off audit=0 apparmor=0"
	// processor has all that QEMU can emulate, but for what is slow so and only there to be fast.
	processor = "max,-erms,-fsrm,-avx,-avx2"
	// memory is what a guest has, in MiB.
	memory = 1024
)

// Machine is a running guest. Its methods may be called concurrently.
type Machine struct {
	console  console
	listener net.Listener
	// idle are connections of workers that wait for a script.
	idle chan net.Conn
	// stop kills QEMU; exited is closed when it has gone, with its error in died.
	stop   context.CancelFunc
	exited chan struct{}
	died   error

	accepting sync.WaitGroup
}

// Boot starts a guest that finds files in its directory /test, and returns when it is ready for scripts. The context is
// for starting it alone. Close it in the end.
func (i *Image) Boot(ctx context.Context, files fs.FS) (*Machine, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	archive, err := pack(files)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("pack the files for the guest: %w", err)
	}
	// QEMU has opened it when the guest runs a script.
	defer os.Remove(archive)
	m := &Machine{listener: listener, idle: make(chan net.Conn, workers), exited: make(chan struct{})}
	m.accepting.Go(m.accept)
	m.start(i, archive)
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	if err := m.Run(ctx, "true", nil); err != nil {
		return nil, errors.Join(fmt.Errorf("boot the guest: %w\n%s", err, m.Console()), m.Close())
	}
	return m, nil
}

// start runs QEMU. The guest has one processor: with more, emulated ones, its clock is no longer the processor's own and
// every request takes twice as long. QEMU dies with this process, however that ends: the kernel sends the signal when the thread that
// started QEMU ends, so that the goroutine keeps its thread (prctl(2), PR_SET_PDEATHSIG).
func (m *Machine) start(i *Image, files string) {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	_, port, _ := net.SplitHostPort(m.listener.Addr().String())
	cmd := exec.CommandContext(ctx, qemu,
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-machine", "q35", "-cpu", processor, "-accel", "tcg", "-m", strconv.Itoa(memory),
		"-kernel", i.kernel(), "-initrd", i.initramfs(),
		"-append", fmt.Sprintf("%s guest.control=%s guest.workers=%d", kernelOptions, port, workers),
		"-drive", "file="+i.disk()+",format=raw,if=virtio,snapshot=on",
		"-drive", "file="+files+",format=raw,if=virtio,read-only=on",
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net",
		"-device", "virtio-rng-pci")
	cmd.Stdout, cmd.Stderr = &m.console, &m.console
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		m.died = cmd.Run()
		close(m.exited)
	}()
}

// Console returns the last lines of the guest's console.
func (m *Machine) Console() string { return m.console.last(60) }

// Close kills the guest and waits until it has gone.
func (m *Machine) Close() error {
	m.stop()
	<-m.exited
	err := m.listener.Close()
	m.accepting.Wait()
	for len(m.idle) > 0 {
		(<-m.idle).Close()
	}
	return err
}

// pack packs files into a tar archive in a temporary file, which becomes the guest's second disk.
func pack(files fs.FS) (name string, err error) {
	f, err := os.CreateTemp("", "hubhome-guest-*.tar")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
		}
	}()
	w := tar.NewWriter(f)
	return f.Name(), errors.Join(w.AddFS(files), w.Close())
}
