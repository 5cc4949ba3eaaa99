// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

const (
	// homeKiB and homeInodes are the quota of the home in TestJupyter, hubKiB and hubInodes that of its hub.
	homeKiB, homeInodes = 48 << 10, 100
	hubKiB, hubInodes   = 96 << 10, 1000
	// plotsBytes is what the pictures in a notebook of TestJupyter take.
	plotsBytes = 8 << 20
	// jupyterTime bounds how long the Jupyter server runs.
	jupyterTime = 15 * time.Minute
)

// jupyter is a Jupyter server in the guest, of a user whose quota is spent.
type jupyter struct{ client }

// TestJupyter has a user with a real Jupyter server and nothing left of the quota, neither bytes nor inodes: the server
// starts, notebooks are saved, with pictures in them, and run, and the user makes room. Without the reserve nothing of that
// works.
func TestJupyter(t *testing.T) {
	machine, binary := boot(t), buildServer(t)
	c := jupyter{client{machine: machine, server: newServer(t, binary, quotas(noReserve)), version: "4.2"}}
	c.run(t, themeTime, "sh mount.sh")
	c.run(t, themeTime, "sh jupyter-home.sh")
	c.left(t, "at the quota", 0, 0)

	out := c.run(t, themeTime, "! sh jupyter-server.sh notebook")
	if !strings.Contains(out, "Disk quota exceeded") {
		t.Errorf("without the reserve, Jupyter does not start because:\n%s", out)
	}
	c.reserve(t, "")
	// Neither does what fills most homes take all of the reserve.
	c.run(t, themeTime, ". ./lib.sh; jovyan sh jupyter-install.sh")
	stop := c.serve(t, "notebook")
	c.user(t, "save thesis.ipynb '# saved past the quota'")
	c.user(t, `cell 'print(6 * 7)' 42`)
	history := c.run(t, time.Minute, `sqlite3 /home/jovyan/.ipython/profile_default/history.sqlite "select source from history where session > 1"`)
	if history != "print(6 * 7)\n" {
		t.Errorf("IPython's history of what was typed past the quota is %q", history)
	}
	c.left(t, "when Jupyter runs past the quota", 0, 0)

	// A notebook with pictures in it is saved, as often as its user likes: what stays is one checkpoint.
	before := c.inReserve(t)
	for i := range 3 {
		c.user(t, fmt.Sprintf("save plots.ipynb '# saved past the quota, with pictures, time %d'", i))
	}
	if took := c.inReserve(t) - before; took < plotsBytes || took > plotsBytes*5/4 {
		t.Errorf("of the reserve three saves of a notebook of %d bytes have taken %d", plotsBytes, took)
	}
	// What is larger than a file from the reserve may be has to wait until there is room.
	c.reserve(t, "fileBytes: 1MiB")
	c.user(t, "refused plots.ipynb 'Disk quota exceeded'")
	c.user(t, "outgrown thesis.ipynb 'Disk quota exceeded'")
	// Without the reserve no notebook is saved: it fails at the database of signatures already.
	c.reserve(t, noReserve)
	c.user(t, "refused thesis.ipynb 'unable to open database file'")
	c.reserve(t, "fileBytes: 1MiB")

	// Jupyter moves what is deleted to the trash, where it takes as much as before.
	c.user(t, "delete results.csv")
	c.user(t, "delete runs")
	c.user(t, "delete packages")
	c.user(t, "refused plots.ipynb 'Disk quota exceeded'")
	c.user(t, "terminal 'rm -rf ~/.local/share/Trash'")
	c.left(t, "when the trash is empty", homeKiB/2, homeInodes/2)
	c.user(t, "save plots.ipynb '# saved when there was room'")
	stop()

	// With the settings that the values for z2jh have, what is deleted is room at once, and directories go with what is in them.
	c.reserve(t, "")
	c.run(t, themeTime, "sh jupyter-fill.sh")
	c.left(t, "when the home is full again", 0, homeInodes/2)
	file, settings := z2jhSettings(t)
	c.run(t, time.Minute, fmt.Sprintf("mkdir -p %s\ncat >%s <<'end'\n%s\nend", path.Dir(file), file, settings))
	c.serve(t, "server")
	c.user(t, "save plots.ipynb '# saved past the quota once more'")
	c.user(t, "delete results")
	c.left(t, "when a directory with a large file is deleted", homeKiB/4, homeInodes/2)
	c.server.checkLedger(t)
}

// z2jhSettings are Jupyter's settings in the values for Zero to JupyterHub that the chart homes comes with, and where the
// file is that has them.
func z2jhSettings(t *testing.T) (file, settings string) {
	t.Helper()
	text, err := os.ReadFile("../../charts/homes/z2jh-values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Singleuser struct {
			ExtraFiles map[string]struct {
				MountPath string         `yaml:"mountPath"`
				Data      map[string]any `yaml:"data"`
			} `yaml:"extraFiles"`
		} `yaml:"singleuser"`
	}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	extra := values.Singleuser.ExtraFiles["jupyter_server_config.json"]
	data, err := json.Marshal(extra.Data)
	if err != nil || extra.MountPath == "" {
		t.Fatalf("the values have no settings for Jupyter: %+v: %v", extra, err)
	}
	return extra.MountPath, string(data)
}

// noReserve switches the reserve off.
const noReserve = "enabled: false"

// quotas is the configuration, with what it says of the reserve.
func quotas(reserve string) string {
	return fmt.Sprintf(`    quota:
      home: {bytes: %dKiB, inodes: %d}
      total: {bytes: %dKiB, inodes: %d}
quota: {reserve: {%s}}
`, homeKiB, homeInodes, hubKiB, hubInodes, reserve)
}

// inReserve is how many bytes of the reserve the home has.
func (c *jupyter) inReserve(t *testing.T) int64 {
	t.Helper()
	var home struct{ Reserve struct{ Bytes int64 } }
	out := c.server.ask(t, "home", "show", "prod/ada", "--output", "json")
	if err := json.Unmarshal([]byte(out), &home); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return home.Reserve.Bytes
}

// reserve changes the reserve while the server runs.
func (c *jupyter) reserve(t *testing.T, is string) {
	t.Helper()
	const taken = "took the changed configuration over"
	before := strings.Count(c.server.log.String(), taken)
	c.server.configure(quotas(is))
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

// serve starts a Jupyter server, and returns how to stop it. It does not outlive the guest.
func (c *jupyter) serve(t *testing.T, app string) (stop func()) {
	t.Helper()
	server := c.start(t, jupyterTime, "exec sh jupyter-server.sh "+app)
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
