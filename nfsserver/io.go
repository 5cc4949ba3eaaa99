// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"errors"
	"math"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// fileUse is an operation's use of a file: it keeps the file and its descriptors until end.
type fileUse struct {
	s    *Server
	file *file
	*descriptor
	// open: the client has the file open for what it does. Otherwise it came with a special stateid.
	open bool
}

func (u *fileUse) end() {
	u.s.files.done(u.file)
	u.s.files.put(u.file)
}

// ioError is the status of an error of a File: EBADF there is an open without the access it takes.
func (c *compound) ioError(err error) nfs4.Status {
	if errors.Is(err, syscall.EBADF) {
		return nfs4.ErrOpenMode
	}
	return c.status(err)
}

// beginIO checks that a stateid allows access to a file (RFC 8881 section 8.2.5), and finds a descriptor for it. The
// caller ends the use where the status is OK.
func (c *compound) beginIO(h *filehandle, id nfs4.Stateid, access vfs.Access) (fileUse, nfs4.Status) {
	switch h.kind {
	case noHandle:
		return fileUse{}, nfs4.ErrNoFileHandle
	case pseudoHandle:
		return fileUse{}, nfs4.ErrIsDir
	}
	if id == nfs4.AnonymousStateid || id == nfs4.ReadBypassStateid {
		return c.beginAnonymous(h, access)
	}
	if id == nfs4.CurrentStateid {
		id = c.curState
		if h == &c.saved {
			id = c.savedState
		}
	}
	if id.Reserved() {
		return fileUse{}, nfs4.ErrBadStateid
	}
	st, status := c.lookState(id)
	if status != nfs4.OK {
		return fileUse{}, status
	}
	f := st.common().file
	if f.handle != h.file {
		return fileUse{}, nfs4.ErrBadStateid
	}
	f.mu.Lock()
	status = st.common().check(id.Seqid)
	if status == nfs4.OK && !permits(st.opened().access, access) {
		status = nfs4.ErrOpenMode
	}
	if status != nfs4.OK {
		f.mu.Unlock()
		return fileUse{}, status
	}
	f.refs.Add(1) // the state's own reference keeps the file in the table until here
	f.mu.Unlock()
	return c.useFile(f, access, true)
}

// permits tells whether an open allows an access. Who may write may read: a client reads what it writes a part of
// (RFC 8881 section 18.22.3).
func permits(open nfs4.ShareAccess, access vfs.Access) bool {
	return access == vfs.Read || uint32(open)&uint32(access) == uint32(access)
}

// beginAnonymous is beginIO with a special stateid: it opens the file for the one operation, if no open denies it and
// its mode permits it. The stateid of all ones bypasses nothing.
func (c *compound) beginAnonymous(h *filehandle, access vfs.Access) (fileUse, nfs4.Status) {
	if c.s.grace.holds(h.home) {
		return fileUse{}, nfs4.ErrGrace
	}
	v, err := c.s.options.FS.GetAttr(c.ctx, h.file)
	if err != nil {
		return fileUse{}, c.status(err)
	}
	if status := mustBeRegular(v.Type); status != nfs4.OK {
		return fileUse{}, status
	}
	// A file's owner goes on with it after making it read-only, as on a local disk.
	if !c.caller.Owns(&v) {
		if err := vfs.PermitOpen(&c.caller, &v, access); err != nil {
			return fileUse{}, c.status(err)
		}
	}
	f := c.s.files.get(h.file, h.home)
	for holder := f.denier(access); holder != nil; holder = f.denier(access) {
		status := nfs4.ErrLocked
		if c.s.leaseOver(holder) {
			err := c.s.expire(holder)
			if err == nil {
				continue
			}
			status = c.fault(err)
		}
		c.s.files.put(f)
		return fileUse{}, status
	}
	return c.useFile(f, access, false)
}

// mustBeRegular tells apart what cannot be read, written and locked.
func mustBeRegular(t vfs.Type) nfs4.Status {
	switch t {
	case vfs.Regular:
		return nfs4.OK
	case vfs.Directory:
		return nfs4.ErrIsDir
	case vfs.Symlink:
		return nfs4.ErrSymlink
	}
	return nfs4.ErrWrongType
}

// denier returns a client with an open that denies an access; nil where there is none.
func (f *file) denier(access vfs.Access) *client {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.opens {
		if uint32(o.deny)&uint32(access) != 0 {
			return o.client
		}
	}
	return nil
}

// useFile finishes beginIO with a file that it has a reference to.
func (c *compound) useFile(f *file, access vfs.Access, open bool) (fileUse, nfs4.Status) {
	d, err := c.s.files.use(c.ctx, f, access)
	if err != nil {
		c.s.files.put(f)
		return fileUse{}, c.openError(err)
	}
	return fileUse{s: c.s, file: f, descriptor: d, open: open}, nfs4.OK
}

// opRead: RFC 8881 section 18.22. The data goes from the file right into the reply.
func opRead(c *compound) nfs4.Status {
	var a nfs4.ReadArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	use, status := c.beginIO(&c.cur, a.Stateid, vfs.Read)
	if status != nfs4.OK {
		return status
	}
	defer use.end()
	const head = 8 // eof and the length
	count := min(int(min(a.Count, maxIO)), max(c.room()-head, 0)&^3)
	if a.Offset > math.MaxInt64 {
		count = 0
	}
	reply, data := nfs4.BeginRead(c.res, count)
	n, eof, err := use.ReadAt(c.ctx, data, a.Offset)
	if err != nil {
		return c.ioError(err)
	}
	reply.End(n, eof)
	c.moved = n
	return nfs4.OK
}

// opWrite: RFC 8881 section 18.32.
func opWrite(c *compound) nfs4.Status {
	var a nfs4.WriteArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if a.Stable > nfs4.FileSync {
		return nfs4.ErrInval
	}
	use, status := c.beginIO(&c.cur, a.Stateid, vfs.Write)
	if status != nfs4.OK {
		return status
	}
	defer use.end()
	if a.Offset > math.MaxInt64-uint64(len(a.Data)) {
		return nfs4.ErrFBig
	}
	n, did, verifier, err := use.WriteAt(c.ctx, a.Data, a.Offset, vfs.Stability(a.Stable))
	if n > 0 && did == vfs.Unstable {
		use.written.Add(1)
	}
	if err != nil {
		return c.ioError(err)
	}
	c.moved = n
	res := nfs4.WriteRes{Count: uint32(n), Committed: nfs4.StableHow(did), WriteVerf: nfs4.Verifier(verifier)}
	res.Encode(c.res)
	return nfs4.OK
}

// opCommit: RFC 8881 section 18.3. The range is a hint; the file is synced as a whole.
func opCommit(c *compound) nfs4.Status {
	var a nfs4.CommitArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if a.Offset > math.MaxUint64-uint64(a.Count) {
		return nfs4.ErrInval
	}
	if status := c.regular(); status != nfs4.OK {
		return status
	}
	f := c.s.files.get(c.cur.file, c.cur.home)
	use, status := c.useFile(f, vfs.Write, false)
	if status != nfs4.OK {
		return status
	}
	defer use.end()
	verifier, _, err := c.s.files.commit(c.ctx, f)
	if err != nil {
		return c.ioError(err)
	}
	res := nfs4.CommitRes{WriteVerf: nfs4.Verifier(verifier)}
	res.Encode(c.res)
	return nfs4.OK
}

// opAllocate: RFC 7862 section 15.1.
func opAllocate(c *compound) nfs4.Status {
	var a nfs4.AllocateArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	return c.space(a.Stateid, a.Offset, a.Length, func(f vfs.File) error { return f.Allocate(c.ctx, a.Offset, a.Length) })
}

// opDeallocate: RFC 7862 section 15.4.
func opDeallocate(c *compound) nfs4.Status {
	var a nfs4.DeallocateArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	return c.space(a.Stateid, a.Offset, a.Length, func(f vfs.File) error { return f.Deallocate(c.ctx, a.Offset, a.Length) })
}

// space changes what a range of a file takes, and makes that durable: there is no verifier to say otherwise.
func (c *compound) space(id nfs4.Stateid, offset, length uint64, change func(vfs.File) error) nfs4.Status {
	use, status := c.beginIO(&c.cur, id, vfs.Write)
	if status != nfs4.OK {
		return status
	}
	defer use.end()
	if length == 0 || offset > math.MaxInt64 || length > math.MaxInt64-offset {
		return nfs4.ErrInval
	}
	if err := change(use.File); err != nil {
		return c.ioError(err)
	}
	_, err := use.commit(c.ctx)
	return c.ioError(err)
}

// opSeek: RFC 7862 section 15.11.
func opSeek(c *compound) nfs4.Status {
	var a nfs4.SeekArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if a.What > nfs4.ContentHole {
		return nfs4.ErrUnionNotSupp
	}
	use, status := c.beginIO(&c.cur, a.Stateid, vfs.Read)
	if status != nfs4.OK {
		return status
	}
	defer use.end()
	what := vfs.SeekData
	if a.What == nfs4.ContentHole {
		what = vfs.SeekHole
	}
	at, eof, err := use.Seek(c.ctx, what, a.Offset)
	if err != nil {
		return c.ioError(err)
	}
	res := nfs4.SeekRes{EOF: eof, Offset: at}
	res.Encode(c.res)
	return nfs4.OK
}

// maxCopy bounds what one COPY does, in bytes, so that it is answered before the client gives up on it. The client asks
// again for the rest.
const maxCopy = 64 << 20

// opCopy: RFC 7862 section 15.2, within this server and at once.
func opCopy(c *compound) nfs4.Status {
	var a nfs4.CopyArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if len(a.SourceServer) > 0 {
		return nfs4.ErrNotSupp
	}
	src, dst, status := c.beginBoth(a.SrcStateid, a.DstStateid)
	if status != nfs4.OK {
		return status
	}
	defer src.end()
	defer dst.end()
	length, status := c.copyLength(a.SrcOffset, a.DstOffset, a.Count)
	if status != nfs4.OK {
		return status
	}
	n, verifier, err := dst.CopyFrom(c.ctx, src.File, a.SrcOffset, a.DstOffset, min(length, maxCopy))
	if n > 0 {
		dst.written.Add(1)
	}
	if err != nil {
		return c.ioError(err)
	}
	res := nfs4.CopyRes{
		Count:        n,
		Committed:    nfs4.Unstable,
		WriteVerf:    nfs4.Verifier(verifier),
		Requirements: nfs4.CopyRequirements{Consecutive: true, Synchronous: true},
	}
	res.Encode(c.res)
	return nfs4.OK
}

// opClone: RFC 7862 section 15.13.
func opClone(c *compound) nfs4.Status {
	var a nfs4.CloneArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	src, dst, status := c.beginBoth(a.SrcStateid, a.DstStateid)
	if status != nfs4.OK {
		return status
	}
	defer src.end()
	defer dst.end()
	if _, status := c.copyLength(a.SrcOffset, a.DstOffset, a.Count); status != nfs4.OK {
		return status
	}
	if err := dst.CloneFrom(c.ctx, src.File, a.SrcOffset, a.DstOffset, a.Count); err != nil {
		return c.ioError(err)
	}
	_, err := dst.commit(c.ctx)
	return c.ioError(err)
}

// beginBoth begins the use of the saved filehandle as a source and the current one as a destination.
func (c *compound) beginBoth(srcID, dstID nfs4.Stateid) (src, dst fileUse, status nfs4.Status) {
	if src, status = c.beginIO(&c.saved, srcID, vfs.Read); status != nfs4.OK {
		return src, dst, status
	}
	if dst, status = c.beginIO(&c.cur, dstID, vfs.Write); status != nfs4.OK {
		src.end()
	}
	return src, dst, status
}

// copyLength is how much is asked for: zero is all to the end of the source. A source range beyond the file's end is
// refused (RFC 7862 section 15.2.3).
func (c *compound) copyLength(srcOff, dstOff, count uint64) (uint64, nfs4.Status) {
	v, err := c.s.options.FS.GetAttr(c.ctx, c.saved.file)
	if err != nil {
		return 0, c.status(err)
	}
	if srcOff > v.Size || count > v.Size-srcOff {
		return 0, nfs4.ErrInval
	}
	if count == 0 {
		count = v.Size - srcOff
	}
	if dstOff > math.MaxInt64 || count > math.MaxInt64-dstOff {
		return 0, nfs4.ErrFBig
	}
	return count, nfs4.OK
}

// opIOAdvise: RFC 7862 section 15.5. The kernel's own read-ahead does well enough: no hint is taken.
func opIOAdvise(c *compound) nfs4.Status {
	var a nfs4.IOAdviseArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	use, status := c.beginIO(&c.cur, a.Stateid, vfs.Read)
	if status != nfs4.OK {
		return status
	}
	use.end()
	res := nfs4.IOAdviseRes{}
	res.Encode(c.res)
	return nfs4.OK
}
