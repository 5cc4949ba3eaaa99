// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// homeKiB and homeInodes are the quota of the home in TestJupyter, hubKiB and hubInodes that of its hub.
	homeKiB, homeInodes = 48 << 10, 100
	hubKiB, hubInodes   = 96 << 10, 1000
	// jupyterTime bounds how long the Jupyter server runs.
	jupyterTime = 15 * time.Minute
)

// jupyter is a Jupyter server in the guest, of a user whose quota is spent.
type jupyter struct{ client }

// TestJupyter has a user with a real Jupyter server and nothing left of the quota, neither bytes nor inodes: the server
// starts, notebooks are saved and run, and the user makes room. Without the reserve nothing of that works.
func TestJupyter(t *testing.T) {
	machine, binary := boot(t), buildServer(t)
	c := jupyter{client{machine: machine, server: newServer(t, binary, quotas(false)), version: "4.2"}}
	c.run(t, themeTime, "sh mount.sh")
	c.run(t, themeTime, "sh jupyter-home.sh")
	c.left(t, "at the quota", 0, 0)

	out := c.run(t, themeTime, "! sh jupyter-server.sh")
	if !strings.Contains(out, "Disk quota exceeded") {
		t.Errorf("without the reserve, Jupyter does not start because:\n%s", out)
	}
	c.reserve(t, true)
	// Neither does what fills most homes take all of the reserve.
	c.run(t, themeTime, ". ./lib.sh; jovyan sh jupyter-install.sh")
	stop := c.serve(t, "")
	c.user(t, "save thesis.ipynb '# saved past the quota'")
	c.user(t, `cell 'print(6 * 7)' 42`)
	history := c.run(t, time.Minute, `sqlite3 /home/jovyan/.ipython/profile_default/history.sqlite "select source from history where session > 1"`)
	if history != "print(6 * 7)\n" {
		t.Errorf("IPython's history of what was typed past the quota is %q", history)
	}
	c.left(t, "when Jupyter runs past the quota", 0, 0)

	// What is larger than a file from the reserve may be has to wait until there is room.
	c.user(t, "refused plots.ipynb 'Disk quota exceeded'")
	// Without the reserve no notebook is saved: it fails at the database of signatures already.
	c.reserve(t, false)
	c.user(t, "refused thesis.ipynb 'unable to open database file'")
	c.reserve(t, true)

	// Jupyter moves what is deleted to the trash, where it takes as much as before.
	c.user(t, "delete results.csv")
	c.user(t, "delete runs")
	c.user(t, "delete packages")
	c.user(t, "refused plots.ipynb 'Disk quota exceeded'")
	c.user(t, "terminal 'rm -rf ~/.local/share/Trash'")
	c.left(t, "when the trash is empty", homeKiB*3/4, homeInodes/2)
	c.user(t, "save plots.ipynb '# saved when there was room'")
	stop()

	// Where Jupyter is told to have no trash, what is deleted is room at once.
	c.run(t, themeTime, "sh jupyter-fill.sh")
	c.left(t, "when the home is full again", 0, homeInodes/2)
	c.serve(t, "--FileContentsManager.delete_to_trash=False")
	c.user(t, "delete again.csv")
	c.left(t, "when a large file is deleted", homeKiB/2, homeInodes/2)
}

// quotas is the configuration, with a reserve or without.
func quotas(reserve bool) string {
	return fmt.Sprintf(`    quota:
      home: {bytes: %dKiB, inodes: %d}
      total: {bytes: %dKiB, inodes: %d}
quota: {reserve: {enabled: %t}}
`, homeKiB, homeInodes, hubKiB, hubInodes, reserve)
}

// reserve switches the reserve on or off while the server runs.
func (c *jupyter) reserve(t *testing.T, on bool) {
	t.Helper()
	const taken = "took the changed configuration over"
	before := strings.Count(c.server.log.String(), taken)
	c.server.configure(quotas(on))
	if err := c.server.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); strings.Count(c.server.log.String(), taken) == before; {
		if time.Now().After(deadline) {
			t.Fatal("the server does not take the changed reserve over")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// user has the user do something in the pages of the Jupyter server.
func (c *jupyter) user(t *testing.T, does string) {
	t.Helper()
	c.run(t, themeTime, "python3 jupyter-user.py "+does)
}

// serve starts the Jupyter server, and returns how to stop it. It does not outlive the guest.
func (c *jupyter) serve(t *testing.T, options string) (stop func()) {
	t.Helper()
	server := c.start(t, jupyterTime, "exec sh jupyter-server.sh "+options)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the Jupyter server says:\n%s", server.output.last(16<<10))
		}
		server.cancel()
		<-server.ended
	})
	server.says("/?token=", 1)
	return func() {
		c.run(t, time.Minute, `kill "$(cat /tmp/jupyter.pid)"`)
		<-server.ended
	}
}

// space is what df shows of a directory, in KiB and inodes.
type space struct{ size, used, left, inodes, inodesUsed, inodesLeft int64 }

func (c *jupyter) df(t *testing.T, dir string) (s space) {
	t.Helper()
	out := c.run(t, time.Minute, "df -k --output=size,used,avail,itotal,iused,iavail "+dir+" | tail -n 1")
	if _, err := fmt.Sscan(out, &s.size, &s.used, &s.left, &s.inodes, &s.inodesUsed, &s.inodesLeft); err != nil {
		t.Fatalf("df of %s: %v:\n%s", dir, err, out)
	}
	return s
}

// left checks what df shows: of the home its quota, and what is left of it, which is nothing or at least so much; of the hub,
// as an admin sees it, the hub's.
func (c *jupyter) left(t *testing.T, when string, kib, inodes int64) {
	t.Helper()
	// The kernel rounds up to what it writes at once (fs/nfs/super.c, nfs_statfs).
	const rounding = 1 << 10
	home, hub := c.df(t, "/home/jovyan"), c.df(t, "/home/jovyan2/allusers")
	if home.size != homeKiB || home.inodes != homeInodes || hub.size != hubKiB || hub.inodes != hubInodes {
		t.Errorf("%s, df shows a home of %+v in a hub of %+v", when, home, hub)
	}
	if home.left < kib || home.inodesLeft < inodes || kib == 0 && home.left > rounding || inodes == 0 && home.inodesLeft > 0 {
		t.Errorf("%s, df shows a home of %+v, want %d KiB and %d inodes left", when, home, kib, inodes)
	}
	if hub.left < hubKiB-homeKiB-8*rounding || hub.used+rounding < home.used || hub.inodesUsed < home.inodesUsed {
		t.Errorf("%s, df shows a home of %+v in a hub of %+v", when, home, hub)
	}
}
