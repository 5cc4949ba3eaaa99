// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"errors"
	"slices"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// opOpen: RFC 8881 section 18.16. It finds or makes the file as the claim says, then gives the share.
func opOpen(c *compound) nfs4.Status {
	var a nfs4.OpenArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if c.cur.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	if a.ShareAccess.Access() == 0 || a.ShareDeny > nfs4.ShareDenyBoth {
		return nfs4.ErrInval
	}
	create := a.How.Type == nfs4.OpenWithCreate
	if create && a.Claim.Type != nfs4.ClaimNull {
		return nfs4.ErrInval
	}
	switch a.Claim.Type {
	case nfs4.ClaimNull, nfs4.ClaimFH, nfs4.ClaimPrevious:
	case nfs4.ClaimDelegateCur, nfs4.ClaimDelegCurFH:
		return nfs4.ErrBadStateid // the server gives no delegations
	default:
		return nfs4.ErrNotSupp
	}
	if status := c.openPseudo(&a, create); status != nfs4.OK {
		return status
	}
	if status := c.openAllowed(&a); status != nfs4.OK {
		return status
	}
	// Which client holds state in which home is on the disk before the client has it (RFC 8881 section 8.4.2.1).
	home := c.cur.home
	if err := c.s.use(c.client, home); err == nfs4.ErrBadSession {
		return nfs4.ErrBadSession
	} else if err != nil {
		return c.fault(err)
	}
	o := opening{c: c, args: &a, access: vfs.Access(a.ShareAccess.Access())}
	status := o.open()
	if status == nfs4.OK {
		status = o.share(home)
	}
	if o.held {
		return status
	}
	c.s.unuse(c.client, home)
	return status
}

// openPseudo answers an OPEN in the pseudo file system, where there is nothing but directories.
func (c *compound) openPseudo(a *nfs4.OpenArgs, create bool) nfs4.Status {
	if c.cur.kind != pseudoHandle {
		return nfs4.OK
	}
	if a.Claim.Type != nfs4.ClaimNull {
		return nfs4.ErrIsDir
	}
	if create {
		return nfs4.ErrROFS
	}
	if _, status := c.lookup(a.Claim.File); status != nfs4.OK {
		return status
	}
	return nfs4.ErrIsDir
}

// openAllowed is the rules of grace for OPEN.
func (c *compound) openAllowed(a *nfs4.OpenArgs) nfs4.Status {
	if a.Claim.Type != nfs4.ClaimPrevious {
		return c.newStateAllowed(c.cur.home)
	}
	c.client.mu.RLock()
	complete := c.client.reclaimComplete
	c.client.mu.RUnlock()
	if complete {
		return nfs4.ErrNoGrace
	}
	return c.s.grace.mayReclaim(c.client.owner, c.cur.home)
}

// opening is an OPEN while it runs.
type opening struct {
	c      *compound
	args   *nfs4.OpenArgs
	access vfs.Access

	file    vfs.File
	handle  vfs.Handle
	change  vfs.DirChange
	attrSet nfs4.Bitmap
	// held: a new open state has taken over the count of its home.
	held bool
}

// open opens the file. After an error there is none to close.
func (o *opening) open() nfs4.Status {
	c := o.c
	if o.args.Claim.Type == nfs4.ClaimNull {
		if status := checkName(o.args.Claim.File); status != nfs4.OK {
			return status
		}
		if o.args.How.Type == nfs4.OpenWithCreate {
			return o.create()
		}
		return o.lookup()
	}
	// What is reclaimed was permitted before the restart, whatever the file's mode is now.
	caller := &c.caller
	if o.args.Claim.Type == nfs4.ClaimPrevious {
		caller = nil
	}
	o.handle = c.cur.file
	var err error
	o.file, err = c.s.options.FS.Open(c.ctx, caller, o.handle, o.access)
	return c.openError(err)
}

// openError is the status of an error of opening a file: what cannot be opened is told apart (RFC 8881 section 18.16.4).
func (c *compound) openError(err error) nfs4.Status {
	if errors.Is(err, syscall.EINVAL) {
		return nfs4.ErrWrongType
	}
	return c.status(err)
}

// lookup opens a file that must be there.
func (o *opening) lookup() nfs4.Status {
	c, fs := o.c, o.c.s.options.FS
	dir, err := fs.GetAttr(c.ctx, c.cur.file)
	if err != nil {
		return c.status(err)
	}
	o.change = vfs.DirChange{Before: dir.Change, After: dir.Change}
	e, err := fs.Lookup(c.ctx, &c.caller, c.cur.file, string(o.args.Claim.File))
	if err != nil {
		return c.notDirectory(err)
	}
	o.handle = e.Handle
	o.file, err = fs.Open(c.ctx, &c.caller, e.Handle, o.access)
	return c.openError(err)
}

var createModes = [...]vfs.CreateMode{
	nfs4.CreateUnchecked:    vfs.Unchecked,
	nfs4.CreateGuarded:      vfs.Guarded,
	nfs4.CreateExclusive:    vfs.Exclusive,
	nfs4.CreateExclusive4_1: vfs.Exclusive,
}

// create opens a file that may have to be made.
func (o *opening) create() nfs4.Status {
	c, how := o.c, &o.args.How
	settable := settableAttrs.Or(nfs4.AttrsOf(nfs4.AttrModeUmask))
	if how.Mode == nfs4.CreateExclusive4_1 {
		settable = exclusiveAttrs
	}
	set, status := c.settable(&how.Attrs, settable)
	if status != nfs4.OK {
		return status
	}
	name := string(o.args.Claim.File)
	if set.Size != nil {
		if status := o.mayTruncate(name); status != nfs4.OK {
			return status
		}
	}
	create := vfs.Create{Mode: createModes[how.Mode], Verifier: how.Verifier, Attr: set}
	f, e, created, ch, err := c.s.options.FS.Create(c.ctx, &c.caller, c.cur.file, name, create, o.access)
	if errors.Is(err, syscall.ENOTDIR) {
		return c.notDirectory(err)
	}
	if err != nil {
		return c.openError(err)
	}
	o.file, o.handle, o.change = f, e.Handle, ch
	switch {
	case create.Mode == vfs.Exclusive:
		// The verifier may be in the times, which the client sets then (RFC 8881 section 18.16.3).
		o.attrSet = how.Attrs.Mask.Or(nfs4.AttrsOf(nfs4.AttrTimeAccess, nfs4.AttrTimeModify))
	case created:
		o.attrSet = how.Attrs.Mask
	case set.Size != nil && *set.Size == 0: // another size is for a new file alone
		o.attrSet = nfs4.AttrsOf(nfs4.AttrSize)
	}
	return nfs4.OK
}

// mayTruncate refuses to cut a file that another has open and denies writing to.
func (o *opening) mayTruncate(name string) nfs4.Status {
	c := o.c
	e, err := c.s.options.FS.Lookup(c.ctx, &c.caller, c.cur.file, name)
	if err != nil {
		return nfs4.OK // Create will say
	}
	f := c.s.files.find(e.Handle)
	if f == nil {
		return nfs4.OK
	}
	defer c.s.files.put(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	cut := *o.args
	cut.ShareAccess |= nfs4.ShareAccessWrite // whatever it is opened for
	if hit := f.shareConflict(c.client, &cut); hit != nil && !c.s.leaseOver(hit.client) {
		return nfs4.ErrShareDenied
	}
	return nfs4.OK
}

// shareConflict returns an open of another owner that does not go together with the one asked for. f.mu is held.
func (f *file) shareConflict(cl *client, a *nfs4.OpenArgs) *openState {
	access, deny := a.ShareAccess.Access(), a.ShareDeny
	for _, o := range f.opens {
		if (uint32(o.access)&uint32(deny) != 0 || uint32(o.deny)&uint32(access) != 0) && !sameOwner(o.client, o.owner, cl, a.Owner.Owner) {
			return o
		}
	}
	return nil
}

// share gives the open to its owner and answers the client. The File becomes one of the file's descriptors, or is
// closed.
func (o *opening) share(home vfs.HomeID) nfs4.Status {
	c := o.c
	f := c.s.files.get(o.handle, home)
	for {
		f.mu.Lock()
		hit := f.shareConflict(c.client, o.args)
		if hit == nil {
			break
		}
		holder := hit.client
		f.mu.Unlock()
		status := nfs4.ErrShareDenied
		if o.args.Claim.Type == nfs4.ClaimPrevious {
			status = nfs4.ErrReclaimConflict
		}
		if c.s.leaseOver(holder) {
			err := c.s.expire(holder)
			if err == nil {
				continue
			}
			status = c.fault(err)
		}
		o.file.Close() // nothing was written to it
		c.s.files.put(f)
		return status
	}
	state, status := o.grant(f)
	if status != nfs4.OK {
		f.mu.Unlock()
		o.file.Close()
		c.s.files.put(f)
		return status
	}
	spare := o.file
	if f.descriptors[o.access] == nil {
		f.descriptors[o.access], spare = &descriptor{File: o.file}, nil
	}
	stateid := state.stateid()
	f.mu.Unlock()
	if spare != nil {
		spare.Close()
	}
	if !o.held {
		c.s.files.put(f)
	}
	o.answer(f, stateid)
	return nfs4.OK
}

// grant finds or makes the owner's state on a file. f.mu is held.
func (o *opening) grant(f *file) (*openState, nfs4.Status) {
	c, a := o.c, o.args
	access, deny := a.ShareAccess.Access(), a.ShareDeny
	for _, old := range f.opens {
		if sameOwner(old.client, old.owner, c.client, a.Owner.Owner) {
			old.bump()
			old.open(access, deny)
			return old, nfs4.OK
		}
	}
	state := &openState{stateCommon: stateCommon{client: c.client, file: f}, owner: slices.Clone(a.Owner.Owner)}
	state.open(access, deny)
	if status := c.s.addState(state); status != nfs4.OK {
		return nil, status
	}
	f.opens = append(f.opens, state)
	o.held = true
	return state, nfs4.OK
}

// open adds an access and deny to what is open.
func (o *openState) open(access nfs4.ShareAccess, deny nfs4.ShareDeny) {
	o.access |= access
	o.deny |= deny
	o.shares |= 1 << (uint32(access)<<2 | uint32(deny))
}

// downgrade reduces what is open to an access and deny that are the union of some that were opened; false where they are
// not (RFC 8881 section 18.18.3).
func (o *openState) downgrade(access nfs4.ShareAccess, deny nfs4.ShareDeny) bool {
	var kept uint16
	var a nfs4.ShareAccess
	var d nfs4.ShareDeny
	for pair := range uint32(16) {
		pairAccess, pairDeny := nfs4.ShareAccess(pair>>2), nfs4.ShareDeny(pair&3)
		if o.shares&(1<<pair) == 0 || pairAccess&^access != 0 || pairDeny&^deny != 0 {
			continue
		}
		kept |= 1 << pair
		a, d = a|pairAccess, d|pairDeny
	}
	if a != access || d != deny {
		return false
	}
	o.access, o.deny, o.shares = access, deny, kept
	return true
}

// answer makes the opened file the current filehandle and writes the result.
func (o *opening) answer(f *file, stateid nfs4.Stateid) {
	c := o.c
	c.cur = filehandle{kind: fileHandle, file: f.handle, home: f.home}
	c.curState = stateid
	res := nfs4.OpenRes{
		Stateid: stateid,
		CInfo:   changeInfo(o.change),
		RFlags:  nfs4.OpenResultLockTypePosix,
		AttrSet: o.attrSet,
	}
	switch o.args.ShareAccess.Want() {
	case nfs4.ShareWantNoPreference:
		res.Delegation.Type = nfs4.DelegateNone
	case nfs4.ShareWantNoDeleg, nfs4.ShareWantCancel:
		res.Delegation.Type, res.Delegation.Why = nfs4.DelegateNoneExt, nfs4.WhyNotWanted
	default:
		res.Delegation.Type, res.Delegation.Why = nfs4.DelegateNoneExt, nfs4.WhyResource
	}
	res.Encode(c.res)
}

// opOpenDowngrade: RFC 8881 section 18.18.
func opOpenDowngrade(c *compound) nfs4.Status {
	var a nfs4.OpenDowngradeArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.regular(); status != nfs4.OK {
		return status
	}
	access := a.ShareAccess.Access()
	if access == 0 || a.ShareDeny > nfs4.ShareDenyBoth {
		return nfs4.ErrInval
	}
	o, status := c.findOpen(a.OpenStateid)
	if status != nfs4.OK {
		return status
	}
	defer o.file.mu.Unlock()
	if !o.downgrade(access, a.ShareDeny) {
		return nfs4.ErrInval
	}
	o.bump()
	c.curState = o.stateid()
	res := nfs4.OpenDowngradeRes{OpenStateid: c.curState}
	res.Encode(c.res)
	return nfs4.OK
}

// opClose: RFC 8881 section 18.2. Locks that are still held go with the open. Unsynced data stays in the server's care
// until its COMMIT.
func opClose(c *compound) nfs4.Status {
	var a nfs4.CloseArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.regular(); status != nfs4.OK {
		return status
	}
	o, status := c.findOpen(a.OpenStateid)
	if status != nfs4.OK {
		return status
	}
	f := o.file
	c.s.removeOpen(o)
	c.s.files.idle(f)
	c.s.files.put(f)
	c.curState = nfs4.InvalidStateid
	res := nfs4.CloseRes{OpenStateid: nfs4.InvalidStateid}
	res.Encode(c.res)
	return nfs4.OK
}
