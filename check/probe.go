// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/share"
	"github.com/hubhome/hubhome/vfs"
)

// probe is the file that the owner writes.
type probe struct {
	// name is where it is, other where rename moves it; "" where nothing was made.
	name, other string
	file        vfs.File
	handle      vfs.Handle
	data        []byte
	// skew is how far the server's clock was ahead of ours when it was made, give or take.
	skew, give time.Duration
	mtime      time.Time
	// did is how safe the server said that the data was when it was written, and verifier its word until when.
	did      vfs.Stability
	verifier vfs.Verifier
	removed  bool
}

// tick is how far a file's time can be behind its server's clock: Linux takes it from the last interrupt of the timer, of
// which there are 100 to 1000 in a second.
const tick = 10 * time.Millisecond

// write makes the file and writes to it, not yet to the disk.
func (r *run) write(ctx context.Context) []Line {
	p := &r.probe
	p.name = share.ProbePrefix + rand.Text()
	p.other = p.name + "-renamed"
	mode := uint32(0o600)
	begun := time.Now()
	f, e, _, _, err := r.fs.Create(ctx, r.owner, r.dir.Handle, p.name, vfs.Create{Mode: vfs.Guarded, Attr: vfs.SetAttr{Mode: &mode}}, vfs.Read|vfs.Write)
	if err != nil {
		r.cleanUp() // an answer may have been lost
		p.name = ""
		return one(r.trouble(ctx, err, "make a file as %s: %v", r.cfg.Owner, plain(err)))
	}
	p.file, p.handle, p.mtime = f, e.Handle, e.Attr.Mtime
	half := time.Since(begun) / 2
	p.skew, p.give = e.Attr.Mtime.Sub(begun.Add(half)), half+tick
	p.data = bytes.Repeat([]byte("hubhome looks whether homes work. "), share.ProbeSize)[:share.ProbeSize]
	n, did, verifier, err := f.WriteAt(ctx, p.data, 0, vfs.Unstable)
	p.did, p.verifier = did, verifier
	if err == nil && n < len(p.data) {
		err = fmt.Errorf("%d bytes of %d: %w", n, len(p.data), syscall.EIO)
	}
	if err != nil {
		return one(r.trouble(ctx, err, "write to a file as %s: %v", r.cfg.Owner, plain(err)))
	}
	if e.Attr.UID != r.cfg.Owner.UID {
		return one(bad(Warn, &advice.Denied, "a file that %s made belongs to %d:%d", r.cfg.Owner, e.Attr.UID, e.Attr.GID))
	}
	return one(ok("a file of %d bytes as %s", n, r.cfg.Owner))
}

// read reads back what was written.
func (r *run) read(ctx context.Context) []Line {
	p := &r.probe
	got := make([]byte, len(p.data)+1)
	n, _, err := p.file.ReadAt(ctx, got, 0)
	if err != nil {
		return one(r.trouble(ctx, err, "read the file: %v", plain(err)))
	}
	if !bytes.Equal(got[:n], p.data) {
		return one(bad(Fail, &advice.Corrupt, "what was read is not what was written"))
	}
	return one(ok("what was written"))
}

// root has root give the file to whom it belongs, which changes nothing and is permitted to root and the owner alone. It is
// how homes are made: the kubelet makes a directory as root, and gives it to the owner.
func (r *run) root(ctx context.Context) []Line {
	_, err := r.fs.SetAttr(ctx, &vfs.Caller{}, r.probe.handle, vfs.SetAttr{UID: &r.cfg.Owner.UID})
	switch {
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return one(bad(Warn, &advice.RootSquash, "root may not give a file to %s: the kubelet can make no homes of new users here", r.cfg.Owner))
	case err != nil:
		return one(r.trouble(ctx, err, "give the file to %s as root: %v", r.cfg.Owner, plain(err)))
	}
	return one(ok("root may give a file to %s", r.cfg.Owner))
}

// fsync has the server say that the data is on its disk, in both ways that there are.
func (r *run) fsync(ctx context.Context) []Line {
	p := &r.probe
	committed, err := p.file.Commit(ctx)
	if err != nil {
		return one(r.trouble(ctx, err, "commit what was written: %v", plain(err)))
	}
	n, did, after, err := p.file.WriteAt(ctx, p.data, 0, vfs.FileSync)
	if err == nil && n < len(p.data) {
		err = fmt.Errorf("%d bytes of %d: %w", n, len(p.data), syscall.EIO)
	}
	if err != nil {
		return one(r.trouble(ctx, err, "write synced: %v", plain(err)))
	}
	switch {
	case did != vfs.FileSync:
		return one(bad(Fail, &advice.Corrupt, "a synced write was asked for, and the server did less"))
	case p.did < vfs.FileSync && p.verifier != committed, committed != after:
		return one(bad(Warn, &advice.Restarted, "the server's verifier has changed in between: it has restarted, or lost what it had not synced"))
	}
	return one(ok("COMMIT, and a synced write"))
}

// locker is a file that can be locked.
type locker interface {
	Lock(ctx context.Context) (unlock func(context.Context) error, err error)
}

// lock locks the file, and sees that the lock shuts another one out.
func (r *run) lock(ctx context.Context) []Line {
	p := &r.probe
	mine, has := p.file.(locker)
	if !has {
		return one(Line{Verdict: Skip, Seen: "not checked: locks of NFSv3 are another protocol (NLM), which hubhome does not speak"})
	}
	unlock, err := mine.Lock(ctx)
	if err != nil {
		return one(r.trouble(ctx, err, "lock the file: %v", plain(err)))
	}
	f, err := r.fs.Open(ctx, r.owner, p.handle, vfs.Read|vfs.Write)
	if err != nil {
		return one(r.trouble(ctx, err, "open the file again: %v", plain(err)))
	}
	defer r.discard(ctx, f)
	if _, err := f.(locker).Lock(ctx); err == nil {
		return one(bad(Fail, &advice.Corrupt, "two had the lock at the same time"))
	} else if !errors.Is(err, syscall.EAGAIN) {
		return one(r.trouble(ctx, err, "ask for a lock that somebody has: %v", plain(err)))
	}
	if err := unlock(ctx); err != nil {
		return one(r.trouble(ctx, err, "unlock the file: %v", plain(err)))
	}
	unlock, err = f.(locker).Lock(ctx)
	if err == nil {
		err = unlock(ctx)
	}
	if err != nil {
		return one(r.trouble(ctx, err, "lock the file after it was unlocked: %v", plain(err)))
	}
	return one(ok("one has it, another is refused, and has it after that"))
}

// rename moves the file to another name, as Jupyter does when it saves.
func (r *run) rename(ctx context.Context) []Line {
	p := &r.probe
	if _, _, _, err := r.fs.Rename(ctx, r.owner, r.dir.Handle, p.name, r.dir.Handle, p.other); err != nil {
		return one(r.trouble(ctx, err, "rename the file: %v", plain(err)))
	}
	e, err := r.fs.Lookup(ctx, r.owner, r.dir.Handle, p.other)
	if err == nil && e.Handle != p.handle {
		err = errors.New("another file is there")
	}
	if err != nil {
		return one(r.trouble(ctx, err, "find the file under its new name: %v", plain(err)))
	}
	return one(ok("and found under the new name"))
}

// maxSkew is how far clocks may be apart: from there on programs that compare times of files with their own clock, such
// as make(1) and Jupyter's look at what has changed on disk, are wrong now and then.
const maxSkew = 2 * time.Second

// clock compares the time that the server gave to the new file with ours.
func (r *run) clock(context.Context) []Line {
	p := &r.probe
	values := map[string]any{"skewMilliseconds": milliseconds(p.skew), "uncertaintyMilliseconds": milliseconds(p.give)}
	text := fmt.Sprintf("the server is %s ahead of this machine, give or take %s", millis(p.skew), millis(p.give))
	if p.skew < 0 {
		text = fmt.Sprintf("the server is %s behind this machine, give or take %s", millis(-p.skew), millis(p.give))
	}
	if p.skew.Abs()-p.give > maxSkew {
		return one(bad(Warn, &advice.Clock, "%s", text).with(values))
	}
	return one(ok("%s", text).with(values))
}

// remove removes the file, and what runs that were killed have left.
func (r *run) remove(ctx context.Context) []Line {
	if r.probe.name == "" {
		return one(Line{Verdict: Skip, Seen: "nothing was made"})
	}
	name, err := r.cleanUp()
	if err != nil {
		return one(bad(Fail, &advice.Leftover, "%s is left: %v", join(r.cfg.Remote.Path, name), plain(err)))
	}
	if err := share.Sweep(ctx, r.fs, r.owner, r.dir.Handle, r.probe.mtime); err != nil && ctx.Err() != nil {
		return one(r.late(ctx))
	}
	return one(ok("the file is gone again"))
}

// cleanUp removes the file from where it is, even after the run's context has ended. It may be called again.
func (r *run) cleanUp() (name string, err error) {
	p := &r.probe
	if p.name == "" || p.removed {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpTime)
	defer cancel()
	for _, name := range []string{p.name, p.other} {
		_, _, err := r.fs.Remove(ctx, r.owner, r.dir.Handle, name)
		if err != nil && !errors.Is(err, syscall.ENOENT) {
			return name, err
		}
	}
	p.removed = true
	if p.file != nil {
		r.discard(ctx, p.file)
		p.file = nil
	}
	return "", nil
}

// discard closes a file that is of no use any more. Where nobody answers, it goes with the connection.
func (r *run) discard(ctx context.Context, f vfs.File) {
	if ctx.Err() == nil {
		f.Close()
	}
}
