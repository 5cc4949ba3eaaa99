// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"crypto/rand"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

const (
	maxSlots      = 64
	maxOperations = 64
	// maxCachedReply bounds the replies that are kept for a retry; each slot keeps one.
	maxCachedReply = 8 << 10
	// maxIO is the most data in one READ or WRITE, in bytes; maxMessage leaves room for what stands around it.
	maxIO      = 1 << 20
	maxMessage = maxIO + 16<<10
	// minMessage is the least that a fore channel must carry for any COMPOUND to be answered, in bytes; minCallback for
	// one in the other direction to be sent, could this server send any.
	minMessage  = 256
	minCallback = 64
	// sequenceReply is a reply with nothing but SEQUENCE's result and no tag.
	sequenceReply = replyHeader + 12 + 8 + 36
)

// session is one NFSv4.1 session (RFC 8881 section 2.10).
type session struct {
	id      nfs4.SessionID
	client  *client
	fore    nfs4.ChannelAttrs
	slots   []slot
	highest uint32 // the greatest slot number
}

// slot gives one request at a time its exactly-once reply (RFC 8881 section 2.10.6.1).
type slot struct {
	mu      sync.Mutex
	seq     uint32
	running bool
	// digest tells a retry from another request under the same number (section 2.10.6.1.3.1).
	digest uint32
	// cached: reply is the whole reply. Otherwise the client did not ask for it to be kept.
	cached bool
	reply  []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// digest is a checksum of a request, of the first part where it is long.
func digest(request []byte) uint32 {
	return crc32.Checksum(request[:min(len(request), 1<<10)], castagnoli)
}

// channel grants a fore channel as far as the server's bounds go.
func channel(asked nfs4.ChannelAttrs) (nfs4.ChannelAttrs, nfs4.Status) {
	granted := nfs4.ChannelAttrs{
		MaxRequestSize:        min(asked.MaxRequestSize, maxMessage),
		MaxResponseSize:       min(asked.MaxResponseSize, maxMessage),
		MaxResponseSizeCached: min(asked.MaxResponseSizeCached, maxCachedReply),
		MaxOperations:         min(asked.MaxOperations, maxOperations),
		MaxRequests:           min(asked.MaxRequests, maxSlots),
	}
	if granted.MaxRequestSize < minMessage || granted.MaxResponseSize < minMessage {
		return granted, nfs4.ErrTooSmall
	}
	if granted.MaxOperations < 2 || granted.MaxRequests < 1 {
		return granted, nfs4.ErrInval
	}
	return granted, nfs4.OK
}

// opExchangeID: RFC 8881 section 18.35.
func opExchangeID(c *compound) nfs4.Status {
	var a nfs4.ExchangeIDArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	const known = nfs4.ExchangeSuppMovedRefer | nfs4.ExchangeSuppMovedMigr | nfs4.ExchangeSuppFenceOps | nfs4.ExchangeBindPrincStateid |
		nfs4.ExchangeUseNonPNFS | nfs4.ExchangeUsePNFSMDS | nfs4.ExchangeUsePNFSDS | nfs4.ExchangeUpdConfirmedRecA
	if a.Flags&^known != 0 || c.minor < 2 && a.Flags&nfs4.ExchangeSuppFenceOps != 0 {
		return nfs4.ErrInval
	}
	if a.StateProtect.How != nfs4.ProtectNone {
		return nfs4.ErrNotSupp
	}
	who := principal{flavor: c.call.Cred.Flavor, uid: c.call.Cred.UID}
	cl, _, status := c.s.exchangeID(a.ClientOwner.OwnerID, a.ClientOwner.Verifier, who, a.Flags&nfs4.ExchangeUpdConfirmedRecA != 0)
	if status != nfs4.OK {
		return status
	}
	flags := nfs4.ExchangeUseNonPNFS
	c.s.clients.mu.Lock()
	seq := cl.createSeq
	if cl.confirmed {
		flags |= nfs4.ExchangeConfirmedR
	}
	c.s.clients.mu.Unlock()
	res := nfs4.ExchangeIDRes{
		ClientID:     cl.id,
		SequenceID:   seq,
		Flags:        flags,
		ServerOwner:  nfs4.ServerOwner{MajorID: c.s.options.ServerID},
		ServerScope:  c.s.options.ServerID,
		ServerImplID: []nfs4.ImplID{{Domain: []byte("hubhome.org"), Name: []byte("hubhome")}},
	}
	res.Encode(c.res)
	return nfs4.OK
}

// opCreateSession: RFC 8881 section 18.36. It confirms a client's record, and has a reply cache of one of its own.
func opCreateSession(c *compound) nfs4.Status {
	var a nfs4.CreateSessionArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	s := c.s
	s.createMu.Lock()
	defer s.createMu.Unlock()
	cl := s.clients.byID(a.ClientID)
	if cl == nil || !cl.confirmed && s.leaseOver(cl) {
		return nfs4.ErrStaleClientID
	}
	if cl.principal != (principal{flavor: c.call.Cred.Flavor, uid: c.call.Cred.UID}) && !cl.confirmed {
		return nfs4.ErrClidInUse
	}
	switch {
	case a.Sequence == cl.createSeq-1 && cl.createReply != nil:
		c.res.Append(cl.createReply.result)
		return cl.createReply.status
	case a.Sequence != cl.createSeq:
		return nfs4.ErrSeqMisordered
	}
	status := c.createSession(cl, &a)
	if status == nfs4.ErrDelay {
		return status // the same request again is not to find this answer again
	}
	cl.createReply = &createReply{status: status, result: slices.Clone(c.resultSince(c.resultStart))}
	s.clients.mu.Lock()
	cl.createSeq++
	s.clients.mu.Unlock()
	return status
}

func (c *compound) createSession(cl *client, a *nfs4.CreateSessionArgs) nfs4.Status {
	s := c.s
	if a.Flags&^(nfs4.SessionPersist|nfs4.SessionConnBackChan|nfs4.SessionConnRDMA) != 0 {
		return nfs4.ErrInval
	}
	fore, status := channel(a.ForeChanAttrs)
	if status != nfs4.OK {
		return status
	}
	if a.BackChanAttrs.MaxRequestSize < minCallback {
		return nfs4.ErrTooSmall
	}
	if !cl.confirmed { // written with createMu held, as it is here
		if err := s.begin(cl); err != nil {
			return c.fault(err)
		}
		if !s.clients.confirm(cl) {
			return nfs4.ErrStaleClientID
		}
	}
	ses := &session{client: cl, fore: fore, slots: make([]slot, fore.MaxRequests), highest: fore.MaxRequests - 1}
	rand.Read(ses.id[:])
	cl.mu.Lock()
	switch {
	case cl.dead:
		cl.mu.Unlock()
		if err := s.release(cl); err != nil { // was begun, and its record could not be removed
			return c.fault(err)
		}
		return nfs4.ErrStaleClientID
	case len(cl.sessions) >= maxSessions:
		cl.mu.Unlock()
		return nfs4.ErrDelay
	}
	cl.sessions[ses.id] = ses
	cl.mu.Unlock()
	s.sessions.Store(ses.id, ses)
	s.renew(cl)
	// The server never calls back: it grants no back channel, whatever was asked.
	res := nfs4.CreateSessionRes{
		SessionID:     ses.id,
		Sequence:      a.Sequence,
		ForeChanAttrs: fore,
		BackChanAttrs: a.BackChanAttrs,
	}
	res.Encode(c.res)
	return nfs4.OK
}

// begin settles what a client that is about to be confirmed had in an earlier life: in this run of the server or the
// last one.
func (s *Server) begin(cl *client) error {
	if old := s.clients.byOwner(cl.owner); old != nil {
		if err := s.release(old); err != nil {
			return err
		}
	}
	if verifier, pending := s.grace.pendingVerifier(cl.owner); pending && verifier != cl.verifier {
		return s.grace.done(cl.owner, false)
	}
	return nil
}

// opDestroySession: RFC 8881 section 18.37.
func opDestroySession(c *compound) nfs4.Status {
	var a nfs4.DestroySessionArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if c.session != nil && c.session.id == a.SessionID && !c.last() {
		return nfs4.ErrNotOnlyOp
	}
	ses := c.s.session(a.SessionID)
	if ses == nil {
		return nfs4.ErrBadSession
	}
	c.s.sessions.Delete(ses.id)
	ses.client.mu.Lock()
	delete(ses.client.sessions, ses.id)
	ses.client.mu.Unlock()
	return nfs4.OK
}

// opDestroyClientID: RFC 8881 section 18.50.
func opDestroyClientID(c *compound) nfs4.Status {
	var a nfs4.DestroyClientIDArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	cl := c.s.clients.byID(a.ClientID)
	if cl == nil {
		return nfs4.ErrStaleClientID
	}
	if cl.busy() {
		return nfs4.ErrClientIDBusy
	}
	c.s.clients.mu.Lock()
	confirmed := cl.confirmed
	c.s.clients.mu.Unlock()
	if err := c.s.release(cl); err != nil {
		return c.fault(err)
	}
	if !confirmed {
		return nfs4.OK // what there is to reclaim is the confirmed record's
	}
	if err := c.s.grace.done(cl.owner, false); err != nil {
		return c.fault(err)
	}
	return nfs4.OK
}

// opBindConnToSession: RFC 8881 section 18.34. Under SP4_NONE any connection may use a session; there is no back
// channel to bind.
func opBindConnToSession(c *compound) nfs4.Status {
	var a nfs4.BindConnToSessionArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	ses := c.s.session(a.SessionID)
	if ses == nil {
		return nfs4.ErrBadSession
	}
	if a.Dir == nfs4.ChannelBack {
		return nfs4.ErrInval
	}
	res := nfs4.BindConnToSessionRes{SessionID: ses.id, Dir: nfs4.ChannelFore}
	res.Encode(c.res)
	return nfs4.OK
}

// opBackchannelCtl: RFC 8881 section 18.33. The parameters are for calls that the server never makes.
func opBackchannelCtl(c *compound) nfs4.Status {
	var a nfs4.BackchannelCtlArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	return nfs4.OK
}

// opReclaimComplete: RFC 8881 section 18.51. For one file system it means nothing here: nothing migrates.
func opReclaimComplete(c *compound) nfs4.Status {
	var a nfs4.ReclaimCompleteArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if a.OneFS {
		if c.cur.kind == noHandle {
			return nfs4.ErrNoFileHandle
		}
		return nfs4.OK
	}
	cl := c.client
	cl.mu.Lock()
	complete := cl.reclaimComplete
	cl.reclaimComplete = true
	cl.mu.Unlock()
	if complete {
		return nfs4.ErrCompleteAlready
	}
	cl.recordMu.Lock()
	defer cl.recordMu.Unlock()
	if err := c.s.grace.done(cl.owner, true); err != nil {
		return c.fault(err)
	}
	return nfs4.OK
}

// session finds a session by its id.
func (s *Server) session(id nfs4.SessionID) *session {
	ses, ok := s.sessions.Load(id)
	if !ok {
		return nil
	}
	return ses.(*session)
}

// opSequence: RFC 8881 section 18.46. It finds the slot, answers a retry from it, and renews the lease.
func opSequence(c *compound) nfs4.Status {
	var a nfs4.SequenceArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if c.opIndex != 0 {
		return nfs4.ErrSequencePos
	}
	ses := c.s.session(a.SessionID)
	if ses == nil {
		return nfs4.ErrBadSession
	}
	if a.SlotID > ses.highest {
		return nfs4.ErrBadSlot
	}
	if a.HighestSlotID > ses.highest || a.HighestSlotID < a.SlotID {
		return nfs4.ErrBadHighSlot
	}
	if c.opCount > int(ses.fore.MaxOperations) {
		return nfs4.ErrTooManyOps
	}
	if c.call.Size() > int(ses.fore.MaxRequestSize) {
		return nfs4.ErrReqTooBig
	}
	sl := &ses.slots[a.SlotID]
	sum := digest(c.request)
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if a.SequenceID == sl.seq && (sl.running || sl.reply != nil || sl.seq != 0) {
		return c.retry(sl, sum)
	}
	if a.SequenceID != sl.seq+1 {
		return nfs4.ErrSeqMisordered
	}
	if sl.running {
		// The client has moved on without waiting for its answer.
		return nfs4.ErrDelay
	}
	ses.client.mu.RLock()
	dead := ses.client.dead
	ses.client.mu.RUnlock()
	if dead {
		return nfs4.ErrBadSession
	}
	if a.CacheThis && ses.fore.MaxResponseSizeCached < sequenceReply {
		return nfs4.ErrRepTooBigToCache
	}
	sl.seq, sl.running, sl.digest, sl.cached, sl.reply = a.SequenceID, true, sum, false, nil
	c.session, c.slot, c.client = ses, sl, ses.client
	c.cacheThis = a.CacheThis
	c.maxReply = int(ses.fore.MaxResponseSize)
	c.s.renew(ses.client)
	res := nfs4.SequenceRes{
		SessionID:           ses.id,
		SequenceID:          a.SequenceID,
		SlotID:              a.SlotID,
		HighestSlotID:       ses.highest,
		TargetHighestSlotID: ses.highest,
	}
	res.Encode(c.res)
	return nfs4.OK
}

// retry answers a request that was seen before. sl.mu is held.
func (c *compound) retry(sl *slot, sum uint32) nfs4.Status {
	switch {
	case sl.running:
		return nfs4.ErrDelay
	case sl.digest != sum:
		return nfs4.ErrSeqFalseRetry
	case !sl.cached:
		return nfs4.ErrRetryUncachedRep
	}
	c.replay = sl.reply
	return nfs4.OK
}

// finish ends the slot's request with its reply.
func (c *compound) finish() {
	if c.slot == nil {
		return
	}
	c.slot.mu.Lock()
	defer c.slot.mu.Unlock()
	c.slot.running = false
	// A lone SEQUENCE is a few bytes: its retry is answered as well.
	if c.cacheThis || c.opCount == 1 {
		c.slot.cached, c.slot.reply = true, slices.Clone(c.res.Bytes()[c.replyStart:])
	}
}

// newStateAllowed answers GRACE to a client that must reclaim, or say that it does not, before it takes new state
// in a home; and to everybody where another may still reclaim (RFC 8881 sections 8.4.2.1, 18.51.3).
func (c *compound) newStateAllowed(home vfs.HomeID) nfs4.Status {
	c.client.mu.RLock()
	complete := c.client.reclaimComplete
	c.client.mu.RUnlock()
	if !complete || c.s.grace.holds(home) {
		return nfs4.ErrGrace
	}
	return nfs4.OK
}
