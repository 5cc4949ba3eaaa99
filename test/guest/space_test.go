// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/debian"
)

// TestSpace has a real client make files in every way that it has, on a store that can clone (XFS): what df shows of the home
// is what du finds, what goes over the quota is refused and takes nothing, and a full disk is another error. After a crash
// the ledger is right of it all.
func TestSpace(t *testing.T) {
	machine, binary := boot(t), buildServer(t)
	const config = `    quota:
      home: {bytes: 128MiB, inodes: 10000}
      homes: {grace: unlimited}
quota: {reserve: {enabled: false}}
`
	c := client{machine: machine, server: newServerOn(t, binary, xfs(t), config), version: "4.2"}
	c.run(t, themeTime, "sh mount.sh")
	c.run(t, themeTime, "sh space.sh")
	c.server.checkLedger(t)
	c.run(t, themeTime, "sh wall.sh")
	c.server.checkLedger(t)

	// The server dies while files are open, and gone.
	holder := c.start(t, themeTime, `. ./lib.sh; cd /home/jovyan; rm -f /tmp/stop
		jovyan dd if=/dev/urandom of=open bs=1M count=8 conv=fsync status=none
		exec 3<>open
		jovyan rm open
		echo holding
		until [ -e /tmp/stop ]; do sleep 0.1; done
		jovyan dd if=/dev/zero of=after bs=1M count=8 conv=fsync status=none`)
	holder.says("holding", 1)
	c.server.end(syscall.SIGKILL)
	c.server.start()
	c.run(t, time.Minute, "touch /tmp/stop")
	holder.wait()
	c.server.checkLedger(t)
	c.server.end(syscall.SIGTERM)
	c.server.start()
	c.server.checkLedger(t)
}

// xfs makes a file with an XFS in it.
func xfs(t *testing.T) (image string) {
	t.Helper()
	debian.Program(t, "mkfs.xfs", "xfsprogs")
	image = filepath.Join(t.TempDir(), "xfs")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 400<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mkfs.xfs", "-q", image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.xfs: %v\n%s", err, out)
	}
	return image
}
