// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package check

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/vfs"
)

// path walks to the directory, as the owner does who has it mounted: as root, where the server takes root for root.
func (r *run) path(ctx context.Context) []Line {
	names, err := r.fs.Below(r.cfg.Remote.Path)
	if err != nil {
		return one(bad(Fail, &advice.NotExported, "%v", err))
	}
	dir, err := r.fs.Root(ctx)
	if err != nil {
		return one(r.trouble(ctx, err, "find %s: %v", r.fs.At, err))
	}
	at, e := r.fs.At, vfs.Entry{Handle: dir}
	for _, name := range names {
		if e, err = r.lookup(ctx, dir, name); err != nil {
			line := r.trouble(ctx, err, "find %q in %s: %v", name, at, plain(err))
			if errors.Is(err, syscall.ENOENT) {
				line.Advice = &advice.NoPath
			}
			return one(line)
		}
		dir, at = e.Handle, join(at, name)
	}
	if e.Attr, err = r.fs.GetAttr(ctx, dir); err != nil {
		return one(r.trouble(ctx, err, "look at %s: %v", at, plain(err)))
	}
	if e.Attr.Type != vfs.Directory {
		return one(bad(Fail, nil, "%s is there, and no directory", at))
	}
	r.dir = e
	return one(ok("%s is there", at))
}

// lookup finds a name as root, and where root may not, as the owner.
func (r *run) lookup(ctx context.Context, dir vfs.Handle, name string) (vfs.Entry, error) {
	e, err := r.fs.Lookup(ctx, nil, dir, name)
	if errors.Is(err, syscall.EACCES) {
		return r.fs.Lookup(ctx, r.owner, dir, name)
	}
	return e, err
}

func join(path, name string) string {
	if path == "/" {
		return path + name
	}
	return path + "/" + name
}

// ownership says to whom the directory belongs.
func (r *run) ownership(context.Context) []Line {
	a := &r.dir.Attr
	is := hubhome.Owner{UID: a.UID, GID: a.GID}
	values := map[string]any{"uid": a.UID, "gid": a.GID, "mode": fmt.Sprintf("%04o", a.Mode)}
	may := vfs.Permit(r.owner, a, vfs.MayRead|vfs.MayWrite|vfs.MayExec) == nil
	switch {
	case is == r.cfg.Owner && may:
		return one(ok("%s, mode %04o", is, a.Mode).with(values))
	case is != r.cfg.Owner && (is.UID == vfs.Nobody || is.GID == vfs.Nobody):
		return one(bad(Warn, &advice.Nobody, "%s, mode %04o: it is nobody's, or somebody's whom the server names", is, a.Mode).with(values))
	case may:
		return one(bad(Warn, &advice.OtherOwner, "%s, mode %04o: %s may write in it, and it is not theirs", is, a.Mode, r.cfg.Owner).with(values))
	case is == r.cfg.Owner:
		return one(bad(Warn, &advice.OtherOwner, "%s, mode %04o: its own mode keeps the owner out", is, a.Mode).with(values))
	}
	return one(bad(Warn, &advice.OtherOwner, "%s, mode %04o: %s may not write in it by its mode", is, a.Mode, r.cfg.Owner).with(values))
}

// list reads the directory as the owner.
func (r *run) list(ctx context.Context) []Line {
	const many = 10_000
	entries := 0
	end, err := r.fs.ReadDir(ctx, r.owner, r.dir.Handle, 0, false, func(*vfs.DirEntry) bool {
		entries++
		return entries < many
	})
	if err != nil {
		return one(r.trouble(ctx, err, "list it as %s: %v", r.cfg.Owner, plain(err)))
	}
	if !end {
		return one(ok("%d entries and more", entries).with(map[string]any{"entries": entries, "more": true}))
	}
	if entries == 1 {
		return one(ok("1 entry").with(map[string]any{"entries": 1}))
	}
	return one(ok("%d entries", entries).with(map[string]any{"entries": entries}))
}

// endless is from where on a size is none: EFS says 8 EiB.
const endless = 1 << 60

// lowSpace is the part of a file system that has to be free, in percent: below it, somebody should make room now.
const lowSpace = 5

// space says what statfs(2) says, which is what df and the alerts of Kubernetes look at.
func (r *run) space(ctx context.Context) []Line {
	s, err := r.fs.StatFS(ctx, r.dir.Handle)
	if err != nil {
		return one(r.trouble(ctx, err, "ask for the space: %v", plain(err)))
	}
	values := map[string]any{
		"totalBytes": s.TotalBytes, "availableBytes": s.AvailBytes, "totalFiles": s.TotalFiles, "availableFiles": s.AvailFiles,
	}
	text := fmt.Sprintf("%s of %s free", size(s.AvailBytes), size(s.TotalBytes))
	if s.TotalFiles > 0 {
		text += fmt.Sprintf(", %d of %d files", s.AvailFiles, s.TotalFiles)
	}
	switch {
	case s.TotalBytes == 0 || s.AvailBytes > s.TotalBytes:
		return one(bad(Warn, &advice.Endless, "the server does not say: %s", text).with(values))
	case s.TotalBytes >= endless:
		return one(bad(Warn, &advice.Endless, "%s, which is no size: df and alerts on free space are of no use here", text).with(values))
	case s.AvailBytes == 0:
		return one(bad(Fail, &advice.Full, "%s", text).with(values))
	case s.AvailBytes/lowSpace < s.TotalBytes/100, s.TotalFiles > 0 && s.AvailFiles/lowSpace < s.TotalFiles/100:
		return one(bad(Warn, &advice.Full, "%s: less than %d %%", text, lowSpace).with(values))
	}
	return one(ok("%s", text).with(values))
}

// size is a number of bytes for people.
func size(n uint64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	i, f := 0, float64(n)/(1<<10)
	for f >= 1<<10 && i < len(units)-1 {
		i, f = i+1, f/(1<<10)
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
