// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package nfs4 is NFSv4.1 and 4.2 on the wire: the types of RFC 5662, RFC 7863 and RFC 8276, their encoding, their
// numbers, and what a status is as a syscall.Errno.
//
// It owns bytes and words, and no behaviour: nothing here knows a session, a file or a connection, locks, waits, or
// starts anything. It imports oncrpc for XDR and nothing else of ours.
//
// An operation has Args and Res behind its name, as LookupArgs, each with Encode and Decode, so that the server and the
// client share them. An operation whose arguments, or whose results, are nothing but a status has no type for them. The names of
// fields are the RFCs' without their prefixes.
//
// The status that leads every result belongs to the COMPOUND (ResOp) and is not part of Res, which is the arm of
// NFS4_OK. Where another arm says more, it has a type of its own: LockDenied follows NFS4ERR_DENIED of LOCK and LOCKT,
// CopyRequirements follows NFS4ERR_OFFLOAD_NO_REQS of COPY. SetAttrRes follows every status of SETATTR.
//
// Decoding copies no bytes: slices alias the message and are valid as long as it is. The errors are the Decoder's.
// A number that selects the arm of a union must be one that the RFCs know, or the message is malformed; all other enums
// and flags are decoded as they are, and their range is for the receiver to check. So are names: only their length is
// bounded here, generously, so that the server can answer NFS4ERR_NAMETOOLONG.
package nfs4

import (
	"math"
	"time"

	"github.com/hubhome/hubhome/oncrpc"
)

// The RPC program (RFC 7863).
const (
	Program = 100003
	Version = 4

	ProcNull     = 0
	ProcCompound = 1
)

// Bounds of the RFCs.
const (
	// MaxHandle is the longest filehandle in bytes (NFS4_FHSIZE).
	MaxHandle = 128
	// MaxOpaque is the longest client owner, state owner, server owner or server scope in bytes (NFS4_OPAQUE_LIMIT).
	MaxOpaque = 1024
)

// Bounds of what a Decoder takes where the RFCs leave it open, in bytes or elements.
const (
	maxTag        = 1024
	maxName       = 1024
	maxLink       = 8 << 10
	maxAttrVals   = 64 << 10
	maxXattrValue = 1 << 20
	maxNetAddr    = 1024
	maxSecFlavors = 64
	maxSecParms   = 8
	maxAlgorithms = 16
	maxServers    = 16
	// maxPayload and maxElements: no more than the message holds.
	maxPayload  = math.MaxInt32
	maxElements = math.MaxInt32
)

// Handle is a filehandle (nfs_fh4): opaque, at most MaxHandle bytes.
type Handle []byte

func decodeHandle(d *oncrpc.Decoder) Handle { return d.Opaque(MaxHandle) }

// FileType is nfs_ftype4.
type FileType uint32

// The types of files.
const (
	TypeReg       FileType = 1
	TypeDir       FileType = 2
	TypeBlk       FileType = 3
	TypeChr       FileType = 4
	TypeLnk       FileType = 5
	TypeSock      FileType = 6
	TypeFIFO      FileType = 7
	TypeAttrDir   FileType = 8
	TypeNamedAttr FileType = 9
)

// ClientID is clientid4.
type ClientID uint64

// SessionID is sessionid4.
type SessionID [16]byte

func decodeSessionID(d *oncrpc.Decoder) (s SessionID) {
	copy(s[:], d.Fixed(len(s)))
	return s
}

// Verifier is verifier4.
type Verifier [8]byte

func decodeVerifier(d *oncrpc.Decoder) (v Verifier) {
	copy(v[:], d.Fixed(len(v)))
	return v
}

// Time is nfstime4: seconds and nanoseconds since 1970 UTC. Nsec of 1,000,000,000 or more is NFS4ERR_INVAL.
type Time struct {
	Sec  int64
	Nsec uint32
}

// TimeOf returns a time as the wire has it.
func TimeOf(t time.Time) Time { return Time{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())} }

// Time returns the time in UTC.
func (t Time) Time() time.Time { return time.Unix(t.Sec, int64(t.Nsec)).UTC() }

// Valid tells whether Nsec is less than a second.
func (t Time) Valid() bool { return t.Nsec < 1e9 }

// Encode writes the time.
func (t Time) Encode(e *oncrpc.Encoder) {
	e.Int64(t.Sec)
	e.Uint32(t.Nsec)
}

// Decode reads the time.
func (t *Time) Decode(d *oncrpc.Decoder) {
	t.Sec = d.Int64()
	t.Nsec = d.Uint32()
}

// ChangeInfo is a directory's change attribute around an operation (change_info4).
type ChangeInfo struct {
	Atomic        bool
	Before, After uint64
}

// Encode writes the change info.
func (c *ChangeInfo) Encode(e *oncrpc.Encoder) {
	e.Bool(c.Atomic)
	e.Uint64(c.Before)
	e.Uint64(c.After)
}

// Decode reads the change info.
func (c *ChangeInfo) Decode(d *oncrpc.Decoder) {
	c.Atomic = d.Bool()
	c.Before = d.Uint64()
	c.After = d.Uint64()
}

// SpecData is the device that a device node stands for (specdata4).
type SpecData struct{ Major, Minor uint32 }

// Encode writes the device.
func (s SpecData) Encode(e *oncrpc.Encoder) {
	e.Uint32(s.Major)
	e.Uint32(s.Minor)
}

// Decode reads the device.
func (s *SpecData) Decode(d *oncrpc.Decoder) {
	s.Major = d.Uint32()
	s.Minor = d.Uint32()
}
