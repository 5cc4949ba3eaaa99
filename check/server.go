// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/vfs"
)

// resolve finds the server's addresses.
func (r *run) resolve(ctx context.Context) []Line {
	server := r.cfg.Remote.Server
	begun := time.Now()
	addrs, err := remote.Resolve(ctx, server, r.cfg.Remote.Lookup)
	if err != nil {
		return one(bad(Fail, &advice.Unresolved, "%v", err))
	}
	r.addrs = addrs
	if net.ParseIP(server.Host) != nil {
		return one(ok("%s is an address", server.Host).with(map[string]any{"addresses": addrs}))
	}
	took := time.Since(begun)
	var hosts []string
	for _, addr := range addrs {
		host, _, _ := net.SplitHostPort(addr)
		hosts = append(hosts, host)
	}
	return one(ok("%s is %s, in %s", server.Host, strings.Join(hosts, " and "), millis(took)).with(map[string]any{
		"addresses": addrs, "milliseconds": milliseconds(took),
	}))
}

// connectTime is how long one address may take to accept a connection, and to say what it is.
const connectTime = 5 * time.Second

// connect connects to every address, to all at once.
func (r *run) connect(ctx context.Context) []Line {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	lines := make([]Line, len(r.addrs))
	var all sync.WaitGroup
	for i, addr := range r.addrs {
		all.Go(func() { lines[i] = connectTo(ctx, addr) })
	}
	all.Wait()
	var open []string
	for i, line := range lines {
		if line.Verdict == OK {
			open = append(open, r.addrs[i])
		}
	}
	for i := range lines {
		if len(open) > 0 && lines[i].Verdict == Fail { // whoever comes to it tries the next, and waits before that
			lines[i].Verdict = Warn
		}
	}
	if len(open) > 0 {
		r.addrs = open
	}
	return lines
}

func connectTo(ctx context.Context, addr string) Line {
	begun := time.Now()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	took := time.Since(begun)
	if err != nil {
		why := err.Error()
		if e, ok := errors.AsType[*net.OpError](err); ok {
			why = e.Err.Error()
			if e.Timeout() {
				why = fmt.Sprintf("no answer within %v", took.Round(100*time.Millisecond))
			}
		}
		return bad(Fail, &advice.Unreachable, "%s: %s", addr, why).with(map[string]any{"address": addr})
	}
	conn.Close()
	return ok("%s in %s", addr, millis(took)).with(map[string]any{"address": addr, "milliseconds": milliseconds(took)})
}

// versions asks which versions are spoken: at the first address where anything is.
func (r *run) versions(ctx context.Context) []Line {
	var lines []Line
	for _, addr := range r.addrs {
		asking, cancel := context.WithTimeout(ctx, connectTime)
		spoken, err := remote.Versions(asking, addr)
		cancel()
		if err == nil {
			r.addr, r.spoken = addr, spoken
			return append(lines, r.judgeVersions())
		}
		line := bad(Fail, nil, "%v", err)
		if a, ok := errors.AsType[*remote.Attempt](err); ok {
			line.Advice = a.Trouble.Advice()
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *run) judgeVersions() Line {
	wanted := r.cfg.Remote.Version
	values := map[string]any{"address": r.addr, "versions": append([]string{}, r.spoken...)}
	switch {
	case !r.spoken.Has(wanted) && wanted == remote.Auto:
		return bad(Fail, &advice.Version, "%s speaks NFS %s, and hubhome 3, 4.1 and 4.2", r.addr, r.spoken).with(values)
	case !r.spoken.Has(wanted):
		return bad(Fail, &advice.Version, "%s speaks NFS %s, and not %s", r.addr, r.spoken, wanted).with(values)
	}
	return ok("%s speaks NFS %s", r.addr, r.spoken).with(values)
}

// session comes to an agreement with the server, in the version that homes would be mounted with.
func (r *run) session(ctx context.Context) []Line {
	begun := time.Now()
	fs, err := remote.Dial(ctx, r.cfg.Remote)
	if err != nil {
		line := bad(Fail, nil, "%v", err)
		if e, ok := errors.AsType[*remote.Error](err); ok {
			line.Advice = e.Trouble().Advice()
		}
		return one(line)
	}
	r.fs = fs
	took := time.Since(begun)
	line := ok("NFSv%s with %s, in %s", fs.Version, fs.Addr, millis(took))
	for _, a := range fs.Passed {
		line.Seen += "; not "
		if a.Addr != fs.Addr {
			line.Seen += a.Addr + ": "
		}
		line.Seen += a.Reason()
	}
	return one(line.with(map[string]any{"address": fs.Addr, "version": fs.Version.String(), "milliseconds": milliseconds(took)}))
}

// maxNames is how many names a line tells.
const maxNames = 20

// export says what the server exports, to either version, and whether the path is in it.
func (r *run) export(ctx context.Context) []Line {
	if r.fs == nil && !r.spoken.Has(remote.V3) {
		return one(Line{Verdict: Skip, Seen: "pointless without session"})
	}
	said, seen := []string{}, []string{}
	found := false
	first := ""
	if names := remote.Names(r.cfg.Remote.Path); len(names) > 0 {
		first = names[0]
	}
	if r.fs != nil && r.fs.Version != remote.V3 {
		names, has, err := r.look(ctx, first)
		found = has
		if err != nil {
			said = append(said, fmt.Sprintf("by NFSv4 its root cannot be read: %v", plain(err)))
		} else {
			said = append(said, "by NFSv4 there is in /: "+list(names))
			seen = append(seen, names...)
		}
	}
	exports := []string{}
	if r.spoken.Has(remote.V3) {
		listed, err := nfs3client.Exports(ctx, remote.V3Config(r.cfg.Remote, r.addr))
		for _, x := range listed {
			exports = append(exports, x.Path)
			if below(remote.Names(r.cfg.Remote.Path), remote.Names(x.Path)) {
				found = true
			}
		}
		if err != nil {
			said = append(said, fmt.Sprintf("by NFSv3 it does not tell: %v", err))
		} else {
			said = append(said, "by NFSv3 it exports: "+list(exports))
		}
	}
	values := map[string]any{"nfs4Root": seen, "nfs3Exports": exports}
	text := strings.Join(said, "; ")
	switch {
	case found:
		return one(ok("%s", text).with(values))
	case r.fs != nil && r.fs.Version == remote.V3: // it was mounted, whatever is told
		return one(ok("%s is mounted; %s", r.fs.At, text).with(values))
	}
	return one(bad(Fail, &advice.NotExported, "nothing that leads to %s: %s", r.cfg.Remote.Path, text).with(values))
}

// below tells whether a path is another one or below it.
func below(path, above []string) bool {
	return len(path) >= len(above) && slices.Equal(path[:len(above)], above)
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	var quoted []string
	for _, name := range names[:min(len(names), maxNames)] {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	if len(names) > maxNames {
		quoted = append(quoted, "…")
	}
	return strings.Join(quoted, ", ")
}

// look looks into the server's root: some names there, more than a line tells, and whether a name is among all of them. A
// root that cannot be listed may have it nonetheless.
func (r *run) look(ctx context.Context, name string) (names []string, has bool, err error) {
	root, err := r.fs.Root(ctx)
	if err != nil {
		return nil, false, err
	}
	has = name == ""
	if !has {
		_, err := r.lookup(ctx, root, name)
		has = err == nil
	}
	_, err = r.fs.ReadDir(ctx, nil, root, 0, false, func(e *vfs.DirEntry) bool {
		names = append(names, e.Name)
		return len(names) <= maxNames
	})
	return names, has, err
}
