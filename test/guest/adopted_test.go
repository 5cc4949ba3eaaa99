// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/debian"
)

// leftBehind fills a disk ($0, mounted at $1) as jupyterhub-home-nfs does: XFS, a directory for each hub, in it the homes, each
// with a project id that all in it inherits, as `xfs_quota project -s` sets it. Another hub was copied to it by rsync, whose
// project ids are 0. It says what du finds in each home: bytes and inodes.
const leftBehind = `
	mount -o loop "$0" "$1"
	cd "$1"
	mkdir -p staging/_shared lost+found
	home() {
		mkdir -p "$1/thesis/$2"
		echo "It was a dark night." >"$1/thesis/chapter1.txt"
		ln -s thesis/chapter1.txt "$1/latest"
		head -c 3000000 /dev/urandom >"$1/thesis/$2/data"
		ln "$1/thesis/$2/data" "$1/thesis/data"
		truncate -s 200M "$1/sparse"
		printf end | dd of="$1/sparse" bs=1M seek=100 conv=notrunc status=none
		mkdir "$1/many"
		(cd "$1/many" && seq 3000 | xargs touch)
		echo x >"$1/$(printf 'caf\351 \001')"
		mkdir "$1/caf\303"
		chown -hR 1000:1000 "$1"
	}
	home staging/eve a/b/c
	xfs_io -c "chproj -R 1001" -c "chattr -R +P" staging/eve
	mkdir staging/.rsync
	home staging/.rsync/zoe z
	rsync -aHXS staging/.rsync/ staging/
	rm -r staging/.rsync
	sync
	for home in eve zoe; do
		echo $home $(du -s --block-size=1 staging/$home | cut -f1) $(du -s --inodes staging/$home | cut -f1)
	done
`

// TestAdopted has a server start on a disk that others have filled: what its homes take is counted, and they are used as any.
func TestAdopted(t *testing.T) {
	machine, binary := boot(t), buildServer(t)
	image := xfs(t)
	debian.Program(t, "rsync", "rsync")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// The end of the first process in it ends all others, and with them the mount.
	fill := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", leftBehind, image, t.TempDir())
	var problems output
	fill.Stderr, fill.WaitDelay = &problems, time.Second
	said, err := fill.Output()
	if err != nil {
		t.Fatalf("fill the disk: %v\n%s", err, &problems)
	}
	c := client{machine: machine, server: newServerOn(t, binary, image, ""), version: "4.2"}
	c.server.logs("counted what homes take")
	homes := homeList(t, c.server, "staging")
	for line := range strings.Lines(string(said)) {
		var name string
		var bytes, inodes int64
		if _, err := fmt.Sscan(line, &name, &bytes, &inodes); err != nil {
			t.Fatalf("%v in %q", err, said)
		}
		want := listed{bytes, inodes, "clean"}
		if got := homes[name]; got != want || bytes < 3_000_000 || inodes < 3000 {
			t.Errorf("%s takes %+v, and by du %+v", name, got, want)
		}
	}
	c.run(t, themeTime, "sh mount.sh")
	c.run(t, themeTime, "sh adopted.sh")
	c.server.checkLedger(t)
}

// listed is what hubhome home list tells of a home.
type listed struct {
	bytes, inodes int64
	state         string
}

// homeList asks the server for the homes of a hub.
func homeList(t *testing.T, s *server, hub string) map[string]listed {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(s.ask(t, "home", "list", hub, "--output", "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	homes := map[string]listed{}
	for _, r := range records[1:] {
		bytes, err := strconv.ParseInt(r[column["usage_bytes"]], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		inodes, err := strconv.ParseInt(r[column["usage_inodes"]], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		homes[r[column["home"]]] = listed{bytes, inodes, r[column["state"]]}
	}
	return homes
}
