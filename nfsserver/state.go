// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"bytes"
	"crypto/rand"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// stateOther is the part of a stateid that names the state: bytes that nobody can guess.
type stateOther [12]byte

// state is an open or the locks of one lock owner on one file. Its fields are under the file's mutex.
type state interface {
	common() *stateCommon
	// opened is the open that the state rests on.
	opened() *openState
}

type stateCommon struct {
	other  stateOther
	seqid  uint32
	client *client
	file   *file
	gone   bool
}

func (s *stateCommon) common() *stateCommon { return s }

// stateid is the state's stateid as of now. The file's mutex is held.
func (s *stateCommon) stateid() nfs4.Stateid { return nfs4.Stateid{Seqid: s.seqid, Other: s.other} }

// bump counts a change of the state; zero is never a state's seqid (RFC 8881 section 8.2.2).
func (s *stateCommon) bump() {
	if s.seqid++; s.seqid == 0 {
		s.seqid = 1
	}
}

// check answers what is wrong with the seqid of a stateid. The file's mutex is held.
func (s *stateCommon) check(seqid uint32) nfs4.Status {
	switch {
	case s.gone:
		return nfs4.ErrBadStateid
	case seqid == 0 || seqid == s.seqid:
		return nfs4.OK
	case int32(seqid-s.seqid) < 0:
		return nfs4.ErrOldStateid
	}
	return nfs4.ErrBadStateid
}

// openState is what one open owner of one client has open of one file (RFC 8881 section 9.1).
type openState struct {
	stateCommon
	owner  []byte
	access nfs4.ShareAccess
	deny   nfs4.ShareDeny
	// shares has a bit for each pair of access and deny that was opened, for OPEN_DOWNGRADE.
	shares uint16
	locks  []*lockState
}

func (o *openState) opened() *openState { return o }

// lockState is the byte-range locks of one lock owner on one file.
type lockState struct {
	stateCommon
	owner []byte
	open  *openState
}

func (l *lockState) opened() *openState { return l.open }

// add gives a client a new state. DELAY where it has too many, BADSESSION where it has just been released.
// The file's mutex is held.
func (s *Server) addState(st state) nfs4.Status {
	c := st.common()
	rand.Read(c.other[:])
	c.seqid = 1
	cl := c.client
	cl.mu.Lock()
	defer cl.mu.Unlock()
	switch {
	case cl.dead:
		return nfs4.ErrBadSession
	case len(cl.states) >= maxStates:
		return nfs4.ErrDelay
	}
	cl.states[c.other] = st
	return nfs4.OK
}

// removeState takes a state away from its client. The file's mutex is held.
func (s *Server) removeState(st state) {
	c := st.common()
	c.gone = true
	c.client.mu.Lock()
	delete(c.client.states, c.other) // a released client's map is nil, which is fine
	c.client.mu.Unlock()
}

// meant is the stateid that a stateid stands for: the current one, where it says so (RFC 8881 section 16.2.3.1.2).
func (c *compound) meant(id nfs4.Stateid) nfs4.Stateid {
	if id == nfs4.CurrentStateid {
		return c.curState
	}
	return id
}

// find returns the state of the current filehandle that a stateid names, with its file locked.
func (c *compound) find(id nfs4.Stateid) (state, nfs4.Status) {
	id = c.meant(id)
	if id.Reserved() {
		return nil, nfs4.ErrBadStateid
	}
	st, status := c.lookState(id)
	if status != nfs4.OK {
		return nil, status
	}
	common := st.common()
	if common.file.handle != c.cur.file {
		return nil, nfs4.ErrBadStateid
	}
	common.file.mu.Lock()
	if status := common.check(id.Seqid); status != nfs4.OK {
		common.file.mu.Unlock()
		return nil, status
	}
	return st, nfs4.OK
}

// lookState finds a state of the request's client by its stateid alone. One of an earlier run of the server is like any
// other that is not there: a session tells a client of a restart (RFC 8881 section 15.1.16.5).
func (c *compound) lookState(id nfs4.Stateid) (state, nfs4.Status) {
	c.client.mu.RLock()
	st := c.client.states[id.Other]
	c.client.mu.RUnlock()
	if st == nil {
		return nil, nfs4.ErrBadStateid
	}
	return st, nfs4.OK
}

// findOpen is find for a stateid that must be an open's.
func (c *compound) findOpen(id nfs4.Stateid) (*openState, nfs4.Status) {
	st, status := c.find(id)
	if status != nfs4.OK {
		return nil, status
	}
	open, ok := st.(*openState)
	if !ok {
		st.common().file.mu.Unlock()
		return nil, nfs4.ErrBadStateid
	}
	return open, nfs4.OK
}

// findLock is find for a stateid that must be a lock owner's.
func (c *compound) findLock(id nfs4.Stateid) (*lockState, nfs4.Status) {
	st, status := c.find(id)
	if status != nfs4.OK {
		return nil, status
	}
	lock, ok := st.(*lockState)
	if !ok {
		st.common().file.mu.Unlock()
		return nil, nfs4.ErrBadStateid
	}
	return lock, nfs4.OK
}

// dropOpen ends an open, its locks and what it holds of the file.
func (s *Server) dropOpen(o *openState) {
	f := o.file
	f.mu.Lock()
	if o.gone {
		f.mu.Unlock()
		return
	}
	s.removeOpen(o)
	s.files.idle(f)
	s.files.put(f)
}

// removeOpen takes an open and its locks out of everything. The file's mutex is held; the caller settles the file with
// idle and put.
func (s *Server) removeOpen(o *openState) {
	for _, l := range o.locks {
		o.file.lockNow(o.file.locks.release(l))
		s.removeState(l)
	}
	o.locks = nil
	for i, other := range o.file.opens {
		if other == o {
			o.file.opens = append(o.file.opens[:i], o.file.opens[i+1:]...)
			break
		}
	}
	s.removeState(o)
	s.unuse(o.client, o.file.home)
}

// use counts a home as one in which a client has, or is about to have, state, and makes that durable.
func (s *Server) use(cl *client, home vfs.HomeID) error {
	cl.mu.Lock()
	cl.used[home]++
	cl.mu.Unlock()
	if err := s.record(cl, home); err != nil {
		s.unuse(cl, home)
		return err
	}
	return nil
}

func (s *Server) unuse(cl *client, home vfs.HomeID) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.used[home]--; cl.used[home] <= 0 {
		delete(cl.used, home)
	}
}

// opFreeStateid: RFC 8881 section 18.38.
func opFreeStateid(c *compound) nfs4.Status {
	var a nfs4.FreeStateidArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	id := c.meant(a.Stateid)
	st, status := c.lookState(id)
	if status != nfs4.OK {
		return status
	}
	f := st.common().file
	f.mu.Lock()
	defer f.mu.Unlock()
	if status := st.common().check(id.Seqid); status != nfs4.OK {
		return status
	}
	lock, ok := st.(*lockState)
	if !ok || f.locks.holds(lock) {
		return nfs4.ErrLocksHeld
	}
	c.s.removeLock(lock)
	return nfs4.OK
}

// removeLock takes away a lock owner's state that holds nothing. The file's mutex is held.
func (s *Server) removeLock(l *lockState) {
	for i, other := range l.open.locks {
		if other == l {
			l.open.locks = append(l.open.locks[:i], l.open.locks[i+1:]...)
			break
		}
	}
	s.removeState(l)
}

// opTestStateid: RFC 8881 section 18.48.
func opTestStateid(c *compound) nfs4.Status {
	var a nfs4.TestStateidArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	res := nfs4.TestStateidRes{StatusCodes: make([]nfs4.Status, len(a.Stateids))}
	for i, id := range a.Stateids {
		res.StatusCodes[i] = c.testStateid(id)
	}
	res.Encode(c.res)
	return nfs4.OK
}

func (c *compound) testStateid(id nfs4.Stateid) nfs4.Status {
	if id.Reserved() {
		return nfs4.ErrBadStateid
	}
	st, status := c.lookState(id)
	if status != nfs4.OK {
		return status
	}
	f := st.common().file
	f.mu.Lock()
	defer f.mu.Unlock()
	return st.common().check(id.Seqid)
}

// opDelegReturn: RFC 8881 section 18.6. The server gives none.
func opDelegReturn(c *compound) nfs4.Status {
	var a nfs4.DelegReturnArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	return nfs4.ErrBadStateid
}

// sameOwner tells whether a state is of a client and owner.
func sameOwner(cl *client, owner []byte, of *client, name []byte) bool {
	return cl == of && bytes.Equal(owner, name)
}
